import type { Finding, SourceFile } from './finding.ts';

/**
 * Paths and hosts of the machine that somebody worked on: they mean nothing on another, and in a
 * lock file they break the installation there.
 */
const FORBIDDEN: readonly { readonly pattern: RegExp; readonly what: string; readonly fix: string }[] = [
  {
    pattern: /(?<![\w.)}\]/@-])\/(?:work|root|home)(?![\w.-])(?:\/[\w.@+-]+)*/,
    what: 'path of one machine',
    fix: 'use a path relative to the repository, or take it as an argument',
  },
  {
    pattern: /https?:\/\/registry\.[\w.-]+/,
    what: 'host of a package registry',
    fix: 'leave it out; for a lock file, install with omit-lockfile-registry-resolved (see .npmrc)',
  },
];

export function machinePathsCheck(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) =>
      FORBIDDEN.flatMap(({ pattern, what, fix }) => {
        const match = pattern.exec(line);
        if (match === null) return [];
        return [
          {
            check: 'machine-paths',
            file: path,
            line: index + 1,
            what: `names the ${what}: ${match[0]}`,
            fix,
          },
        ];
      }),
    ),
  );
}
