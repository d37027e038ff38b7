import { hex, tableGet } from '@tablewalk/base';
import type { BuiltMachine } from '@tablewalk/compose';
import {
  AccessKind,
  cpusKey,
  FaultKind,
  processesKey,
  TrapKind,
  vaOfAccess,
  walkResult,
} from '@tablewalk/contracts';
import type { AccessEffects, MemoryState, PieceEffects, RecordedFact } from '@tablewalk/contracts';
import { viewOf } from '@tablewalk/machine';
import type { BatchRow, Pass } from '../inspection.ts';

const KINDS = ['fetch', 'load', 'store', 'modify', 'walk'];
const FAULTS = ['none', 'translation', 'access flag', 'domain', 'permission'];

/** What one access did, for people and programs. Counters are those that it raised, by name. */
export interface AccessReport {
  readonly batch: number;
  readonly access: number;
  readonly fact: number;
  readonly cpu: number;
  readonly process: {
    readonly mm: number;
    readonly name: string;
    readonly asid: number;
    readonly ttbr: number;
  };
  readonly kind: string;
  readonly va: number;
  readonly size: number;
  /** Traps of the same access just before, when it had to be tried again. */
  readonly before: readonly RecordedFact[];
  readonly tlb: Readonly<Record<string, number>>;
  readonly walks: readonly WalkReport[];
  readonly pieces: readonly PieceReport[];
  readonly trap?: {
    readonly kind: string;
    readonly fault: string;
    readonly level: number;
    readonly fact: number;
  };
}
export interface WalkReport {
  readonly va: number;
  readonly reads: readonly {
    readonly level: number;
    readonly pa: number;
    readonly value: string;
    readonly bytes: number;
  }[];
  /** The page found, or the fault. */
  readonly page?: { readonly pa: number; readonly bytes: number };
  readonly fault?: string;
}
export interface PieceReport {
  readonly kind: string;
  readonly va: number;
  readonly pa: number;
  readonly size: number;
  readonly caches: Readonly<Record<string, number>>;
}

export function accessReport(
  built: BuiltMachine,
  pass: Pass,
  access: number,
  effects: AccessEffects,
): AccessReport {
  const { row, world, references, before } = pass;
  const view = viewOf(() => world);
  const { asid = 0, ttbr = 0 } = view(cpusKey)[row.cpu] ?? {};
  const i = row.from + access;
  const va = vaOfAccess(references, i);
  const size = references.size[i] ?? 0;
  const named = (counters: readonly number[]): Record<string, number> =>
    byName(built.dataPlane.counterNames, counters);
  const { trap } = effects;
  return {
    batch: row.number,
    access,
    fact: row.seq,
    cpu: row.cpu,
    process: { mm: row.mm, name: view(processesKey)[row.mm]?.name ?? '', asid, ttbr },
    kind: KINDS[references.kind[i] ?? 0] ?? '',
    va,
    size,
    before: access === 0 ? before : [],
    tlb: named(effects.tlb),
    walks: walksOf(built, world.slices['memory'] as MemoryState, ttbr, va, size, effects.pieces),
    pieces: effects.pieces.map(({ kind, counters, ...piece }) => ({
      kind: KINDS[kind] ?? '',
      ...piece,
      caches: named(counters),
    })),
    ...(trap.kind === TrapKind.none
      ? {}
      : {
          trap: {
            kind: trap.kind === TrapKind.watched ? 'stale translation' : 'fault',
            fault: FAULTS[trap.fault] ?? '',
            level: trap.level,
            fact: row.trap?.seq ?? -1,
          },
        }),
  };
}

/** The walks of an access: the descriptors that went to the caches, with what stands in memory there. */
function walksOf(
  built: BuiltMachine,
  memory: MemoryState,
  ttbr: number,
  va: number,
  size: number,
  pieces: readonly PieceEffects[],
): WalkReport[] {
  const read = pieces.filter(({ kind }) => kind === AccessKind.walk);
  const walks: WalkReport[] = [];
  const found = walkResult();
  const word = (pa: number): string => (tableGet(memory, pa / 4) ?? 0).toString(16).padStart(8, '0');
  for (let at = va; at < va + size && read.length > 0; at = Math.floor(at / 4096 + 1) * 4096) {
    built.walker.walk(ttbr, at >>> 0, Math.floor(at / 2 ** 32), found);
    if (found.reads === 0 || read[0]?.pa !== found.readPa[0]) continue;
    const reads = read.splice(0, found.reads).map(({ pa, size: bytes }, n) => ({
      level: found.level - found.reads + 1 + n,
      pa,
      value: `0x${bytes > 4 ? word(pa + 4) : ''}${word(pa)}`,
      bytes,
    }));
    const bytes = 2 ** found.pageShift;
    walks.push(
      found.fault === FaultKind.none
        ? { va: at, reads, page: { pa: found.pfn * 4096, bytes } }
        : { va: at, reads, fault: `${FAULTS[found.fault]} fault at level ${found.level}` },
    );
  }
  return walks;
}

function byName(names: readonly string[], counters: readonly number[]): Record<string, number> {
  const grown: Record<string, number> = {};
  for (let i = 0; i < counters.length; i += 2)
    grown[names[counters[i] as number] ?? ''] = counters[i + 1] as number;
  return grown;
}

export function accessText(report: AccessReport): string {
  const { batch, access, cpu, process, kind, va, size, trap } = report;
  const article = kind === 'fetch' ? 'instruction fetch' : kind;
  const lines = [
    `access ${batch}:${access}  ${article} of ${size} bytes at ${hex(va)}`,
    `  process ${process.mm} ${process.name}, CPU ${cpu}, ASID ${process.asid}, TTBR0 ${hex(process.ttbr)}`,
  ];
  for (const { seq, fact } of report.before)
    lines.push(`  tried before, and trapped: fact ${seq} ${fact.type}`);
  const { 'tlb.walks': _walks, 'tlb.walkReads': _reads, ...looked } = report.tlb;
  for (const [structure, did] of structures(looked)) lines.push(`  ${structure.padEnd(9)} ${did}`);
  for (const walk of report.walks) {
    for (const { level, pa, value } of walk.reads)
      lines.push(`  walk      level ${level} descriptor at ${hex(pa)} is ${value}`);
    lines.push(
      walk.page === undefined
        ? `  walk      ${walk.fault}`
        : `  walk      page of ${walk.page.bytes / 1024} KiB at ${hex(walk.page.pa)}`,
    );
  }
  for (const { kind: as, pa, size: bytes, caches } of report.pieces) {
    lines.push(`  ${as.padEnd(9)} ${bytes} bytes at physical ${hex(pa)}`);
    for (const [cache, did] of structures(caches)) lines.push(`    ${cache.padEnd(7)} ${did}`);
  }
  if (trap !== undefined)
    lines.push(
      trap.kind === 'fault'
        ? `  trapped: ${trap.fault} fault, level ${trap.level} (fact ${trap.fact}); it is tried again`
        : `  trapped: a translation that has been removed from the tables (fact ${trap.fact}); it is tried again`,
    );
  return lines.join('\n');
}

/** By TLB or cache, in words: hit or miss, and what else was counted. */
function structures(counters: Readonly<Record<string, number>>): [name: string, did: string][] {
  const grouped = new Map<string, Record<string, number>>();
  for (const [name, value] of Object.entries(counters)) {
    const dot = name.indexOf('.');
    const group = grouped.get(name.slice(0, dot)) ?? {};
    const what = name.slice(dot + 1).split('::')[0] ?? '';
    group[what] = (group[what] ?? 0) + value;
    grouped.set(name.slice(0, dot), group);
  }
  const inner = [...grouped].filter(([name]) => name !== 'memory');
  const memory = [...grouped].filter(([name]) => name === 'memory');
  return [...inner, ...memory].map(([name, group]) => [name, inWords(group)]);
}

function inWords({ lookups = 0, accesses = 0, misses = 0, ...rest }: Record<string, number>): string {
  const asked = lookups + accesses;
  const hits = asked - misses;
  const words: string[] = [];
  if (hits > 0) words.push(hits === 1 ? 'hit' : `${hits} hits`);
  if (misses > 0) words.push(misses === 1 ? 'miss' : `${misses} misses`);
  for (const [what, count] of Object.entries(rest)) words.push(`${count} ${WORDS[what] ?? what}`);
  return words.join(', ');
}

const WORDS: Readonly<Record<string, string>> = {
  evictions: 'evicted',
  writebacks: 'written back',
  flushed: 'flushed',
  reads: 'read',
  writes: 'written',
  walkReads: 'descriptor read past the caches',
};

export const rowText = ({ number, seq, cpu, mm, supplied, from, count, trap }: BatchRow): string =>
  [
    number,
    seq,
    cpu,
    mm,
    `${supplied}+${from}`,
    count,
    trap === undefined ? '' : `${trap.fact.type} (fact ${trap.seq})`,
  ]
    .map((cell, i) => String(cell).padStart(ROW_WIDTHS[i] ?? 0))
    .join('  ')
    .trimEnd();
const ROW_WIDTHS = [8, 9, 3, 3, 16, 10];
export const ROW_HEAD = '   batch       fact  CPU   mm        supplied  references  then';
