export { freeableTables, freePgtables } from './free-pgtables.ts';
export type { TableEntry, UserSpace } from './free-pgtables.ts';
export { doTranslationFault } from './translation-fault.ts';
export type { TranslationFaultPolicy } from './translation-fault.ts';
export { addIdentityMap, freeEntryZero, freePmdPages, kernelStart } from './three-levels.ts';
export type { IdentityMapPolicy } from './three-levels.ts';
