export { assert, assertNever, InvariantError, present, unreachable } from './assert.ts';
export {
  asid,
  cpuId,
  PAGE_SHIFT,
  PAGE_SIZE,
  pa,
  paOfPfn,
  pfn,
  pfnOfPa,
  va,
  vaOfVpn,
  vpn,
  vpnOfVa,
} from './brand.ts';
export type { Asid, Brand, CpuId, Pa, Pfn, Va, Vpn } from './brand.ts';
export { CodedError, ConfigError, ExitCode, formatReport, HistoryError, TraceError } from './coded-error.ts';
export type { ErrorReport } from './coded-error.ts';
export { Digest, digestOf } from './digest.ts';
export { editDistance, nearestName } from './nearest.ts';
export { prngBelow, prngNext, prngSeed } from './prng.ts';
export type { PrngState } from './prng.ts';
export { formatBytes, hex, parseBytes } from './quantity.ts';
export { sparseTable, tableDelete, tableEntries, tableGet, tableSet } from './sparse-table.ts';
export type { SparseTable } from './sparse-table.ts';
