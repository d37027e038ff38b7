import type { SparseTable } from '@tablewalk/base';
import { tableGet } from '@tablewalk/base';
import { sliceKey } from './component.ts';

/** Simulated physical memory, as far as anything was stored in it: 32-bit words by `pa / 4`. Absent words are 0. */
export type MemoryState = SparseTable<number>;
export const memoryKey = sliceKey<MemoryState>('memory');

export const wordAt = (memory: MemoryState, pa: number): number => tableGet(memory, pa / 4) ?? 0;
