import {
  ACCESS_LETTERS,
  accessBatch,
  FaultKind,
  PageFlag,
  pushAccess,
  translatedBatch,
} from '@tablewalk/contracts';
import type { AccessBatch, AccessKind, TranslatedBatch, Walker } from '@tablewalk/contracts';
import { testLru } from './policies.fixture.ts';
import { tlbEngine } from './tlb-engine.ts';
import type { ExactTlbEngine } from './tlb-engine.ts';
import type { TlbSpec, TlbStructureSpec } from './tlb-spec.ts';

/** What a page is mapped to, by a function of its address. For tests: a table that can be changed at will. */
export interface TestMapping {
  readonly pfn: number;
  readonly shift?: number;
  readonly flags?: number;
  readonly fault?: FaultKind;
}
export const EVERYTHING = PageFlag.user | PageFlag.write | PageFlag.execute;

/** Every walk reads two descriptors. Permission faults have status 0x0c + level. */
export const testWalker = (map: (va: number, ttbr: number) => TestMapping | undefined): Walker => ({
  permissionStatus: (level) => 0x0c + level,
  walk(ttbr, vaLo, vaHi, result) {
    const found = map(vaHi * 2 ** 32 + vaLo, ttbr);
    result.reads = 2;
    result.readBytes = 4;
    result.readPa[0] = ttbr;
    result.readPa[1] = ttbr + 4096;
    result.level = 2;
    result.fault = found === undefined ? FaultKind.translation : (found.fault ?? FaultKind.none);
    result.status = result.fault === FaultKind.none ? 0 : 7;
    result.pfn = found?.pfn ?? 0;
    result.pageShift = found?.shift ?? 12;
    result.flags = found?.flags ?? EVERYTHING;
  },
});

export type TestReference = readonly [kind: AccessKind, va: number, size: number];

export function referencesBatch(list: readonly TestReference[]): AccessBatch {
  const batch = accessBatch(Math.max(list.length, 1));
  for (const [kind, va, size] of list) pushAccess(batch, kind, va, size);
  return batch;
}

/** A batch of pieces as text: kind, flags, `va>pa`, size. */
export const shownPieces = (out: TranslatedBatch): string[] =>
  Array.from({ length: out.count }, (_, i) => {
    const bits = out.kind[i] as number;
    const flags = `${(bits & 8) !== 0 ? '+' : ''}${(bits & 16) !== 0 ? '*' : ''}`;
    const va = (out.vaHi[i] as number) * 2 ** 32 + (out.vaLo[i] as number);
    const pa = (out.paHi[i] as number) * 2 ** 32 + (out.paLo[i] as number);
    return `${ACCESS_LETTERS[bits & 7]}${flags} ${va.toString(16)}>${pa.toString(16)} ${out.size[i]}`;
  });

export const emptyPieces = (capacity = 256): TranslatedBatch => translatedBatch(capacity);

export const tlbOf = (entries: number, ways?: number, pageShifts?: number[]): TlbStructureSpec => ({
  entries,
  replacement: testLru,
  ...(ways === undefined ? {} : { ways }),
  ...(pageShifts === undefined ? {} : { pageShifts }),
});
export const unifiedTlb = (one: TlbStructureSpec, more: Partial<TlbSpec> = {}): TlbSpec => ({
  cpus: 1,
  seed: 1,
  first: { unified: one },
  ...more,
});

/** Pages of 4 KiB, each 0x100 frames up; above 0x100000 by sections; 0x8000 faults; 0x9000 is read-only. */
export const testMap = (va: number): TestMapping | undefined => {
  if (va >= 0x100000) return { pfn: 0x40000 + Math.floor(va / 2 ** 20) * 256, shift: 20 };
  const page = Math.floor(va / 4096);
  if (page === 8) return undefined;
  return { pfn: page + 0x100, flags: page === 9 ? PageFlag.user : EVERYTHING };
};

export interface TestTlb {
  readonly engine: ExactTlbEngine;
  /** Translates references; answers their pieces, without walks. */
  run(references: readonly TestReference[], asid?: number, ttbr?: number, cpu?: number): string[];
  count(name: string, cpu?: number): number;
}

/** An engine with the small things that tests want of it. */
export function machineWith(spec: TlbSpec, walker = testWalker(testMap)): TestTlb {
  const engine = tlbEngine(spec, walker);
  return {
    engine,
    run(references: readonly TestReference[], asid = 1, ttbr = 0x4000, cpu = 0): string[] {
      const out = emptyPieces();
      engine.translate(cpu, { asid, ttbr }, referencesBatch(references), 0, references.length, out);
      return shownPieces(out).filter((piece) => !piece.startsWith('W'));
    },
    count: (name: string, cpu = 0): number =>
      engine.counters(cpu)[engine.counterNames.indexOf(name)] as number,
  };
}
