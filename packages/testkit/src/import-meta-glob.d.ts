/** What Vite (and so vitest) puts in place of a call of `import.meta.glob`; see its documentation, "Glob Import". */
interface ImportMeta {
  glob<Module>(
    pattern: string,
    options: { readonly eager: true; readonly query?: string; readonly import?: string },
  ): Record<string, Module>;
}
