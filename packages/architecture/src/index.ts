export { invalidateTlb, maintenance } from './tlb-maintenance.ts';
export type { InvalidateTlb } from './tlb-maintenance.ts';
export { tlbModel } from './tlb-model.ts';
export { tlbModelKey } from './tlb-state.ts';
export type { CpuTlb, HeldTranslation, TlbModelState, Walk } from './tlb-state.ts';
export { flagsOf, walkerOf, walkStepsOf } from './regime-walker.ts';
export { decodeFields, encodeDescriptor, fieldValue, overlapsOf } from './descriptor-fields.ts';
export type { DecodedField, Descriptor } from './descriptor-fields.ts';
