export { Arena } from './arena.ts';
export { cacheHierarchy } from './cache-hierarchy.ts';
export type { CacheHierarchy } from './cache-hierarchy.ts';
export { cacheConfig, cachePlugin } from './cache-plugin.ts';
export type { CacheConfig, CacheKind } from './cache-plugin.ts';
export type {
  AddressSpace,
  CacheAccounting,
  CacheHierarchySpec,
  CacheSpec,
  OuterCacheSpec,
  WritePolicy,
} from './cache-spec.ts';
export { tlbEngine } from './tlb-engine.ts';
export { untranslated } from './untranslated.ts';
export type { ExactTlbEngine } from './tlb-engine.ts';
export type { TlbSpec, TlbStructureSpec } from './tlb-spec.ts';
