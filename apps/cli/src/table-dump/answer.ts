import { decodeFields } from '@tablewalk/architecture';
import type { DecodedField } from '@tablewalk/architecture';
import { FaultKind, newWalk, WalkStage } from '@tablewalk/contracts';
import type { Access, MemoryAttributes, Regime, TableFormat, Walk } from '@tablewalk/contracts';
import {
  finishWalk,
  indexAt,
  linuxEntryOf,
  linuxFault,
  outputAddress,
  registersOf,
  rightsOf,
  swapperRoot,
  taskSizeOf,
  translate,
  walkStart,
} from '@tablewalk/table-dump';
import type {
  LinuxEntry,
  LinuxFault,
  Rights,
  TableDump,
  Translation,
  WalkStart,
  WalkStep,
} from '@tablewalk/table-dump';
import type { Viewpoint } from './question.ts';

/** All that there is to say about one address. */
export interface Answer {
  readonly va: number;
  readonly access: Access;
  readonly start: WalkStart;
  readonly steps: readonly AnswerStep[];
  readonly outcome: Outcome;
}

export interface AnswerStep extends WalkStep {
  /** Physical byte address of the table, and the entry's number. */
  readonly table: number;
  readonly index: number;
  readonly fields: readonly DecodedField[];
  /** Fields of a table descriptor that hold for everything below it. */
  readonly handedDown: readonly DecodedField[];
  readonly linux?: LinuxEntry;
}

export type Outcome =
  | ({ readonly kind: 'translated'; readonly pa: number } & Leaf)
  | ({
      readonly kind: 'fault';
      readonly fault: FaultKind;
      readonly level: number;
      /** As `Regime.status` gives it. */
      readonly status: number;
      /** DFSR, or IFSR of a fetch, as the abort would leave it. */
      readonly register: 'DFSR' | 'IFSR';
      readonly value: number;
      readonly linux: LinuxFault;
    } & Partial<Leaf>)
  | { readonly kind: 'unknown'; readonly absent: number };

export interface Leaf {
  /** Physical byte address of the leaf's first byte; log2 of its bytes. */
  readonly base: number;
  readonly shift: number;
  readonly attributes: MemoryAttributes;
  readonly rights: Rights;
  readonly global: boolean;
  readonly domain?: { readonly number: number; readonly dacr: number };
}

export function answer(
  dump: TableDump,
  format: TableFormat,
  { cpu, registers }: Viewpoint,
  va: number,
  access: Access,
): Answer {
  const regime = format.regime(registers);
  const walked = translate(format, regime, dump.pages, va);
  const start = walkStart(format, registers, va);
  const steps = walked.steps.map((step) => answerStep(format, start, va, step, dump));
  const leaf =
    walked.walk.stage === WalkStage.leaf
      ? leafOf(regime, walked.walk, steps, registers['DACR'] ?? 0n)
      : undefined;
  const initMm = (): boolean | undefined => initMmHasEntry(dump, format, cpu, va);
  const outcome = outcomeOf(dump, format, regime, { walked, access, steps, leaf, initMm });
  return { va, access, start, steps, outcome };
}

function answerStep(
  format: TableFormat,
  start: WalkStart,
  va: number,
  step: WalkStep,
  { pages }: TableDump,
): AnswerStep {
  const index = indexAt(format, start, step.level, va);
  const fields = decodeFields(step.layout, step.lo, step.hi);
  const linux = linuxEntryOf(format, step, pages);
  return {
    ...step,
    table: step.pa - index * format.wordBytes,
    index,
    fields,
    handedDown: TABLES.has(step.layout.type) ? fields.filter(({ name }) => HANDED_DOWN.has(name)) : [],
    ...(linux === undefined ? {} : { linux }),
  };
}

/** Descriptors that point to a table, and what they say of all below (ARM ARM DDI 0406C B3.5.1, B3.6.1). */
const TABLES = new Set(['page table', 'table']);
const HANDED_DOWN = new Set(['Domain', 'NS', 'PXN', 'NSTable', 'APTable[1:0]', 'XNTable', 'PXNTable']);

function leafOf(regime: Regime, walk: Walk, steps: readonly AnswerStep[], dacr: bigint): Leaf {
  const number = domainOf(steps);
  return {
    base: walk.base,
    shift: walk.shift,
    attributes: regime.attributes(walk),
    rights: rightsOf(regime, walk),
    global: regime.global(walk),
    ...(number === undefined
      ? {}
      : { domain: { number, dacr: Number((dacr >> BigInt(2 * number)) & 0b11n) } }),
  };
}

/** Of a supersection it is 0; long descriptors have none. */
function domainOf(steps: readonly AnswerStep[]): number | undefined {
  const [first] = steps;
  if (first?.layout.type === 'supersection') return 0;
  return first?.fields.find(({ name }) => name === 'Domain')?.value;
}

interface Ended {
  readonly walked: Translation;
  readonly access: Access;
  readonly steps: readonly AnswerStep[];
  readonly leaf: Leaf | undefined;
  readonly initMm: () => boolean | undefined;
}

function outcomeOf(dump: TableDump, format: TableFormat, regime: Regime, ended: Ended): Outcome {
  const { walked, access, steps, leaf, initMm } = ended;
  const { walk, absent, va } = walked;
  if (absent !== undefined) return { kind: 'unknown', absent };
  const fault = walk.stage === WalkStage.fault ? walk.fault : regime.check(walk, access);
  if (fault === FaultKind.none && leaf !== undefined)
    return { kind: 'translated', pa: outputAddress(walk), ...leaf };
  const { level } = walk;
  const status = regime.status(fault, level);
  return {
    kind: 'fault',
    fault,
    level,
    status,
    register: access.fetch ? 'IFSR' : 'DFSR',
    value: faultRegister(format, { fault, level, status }, access, domainOf(steps)),
    linux: linuxFault({
      ...{ format, fault, level, va, access, taskSize: taskSizeOf(dump) },
      initMmHasEntry: initMm(),
      entry: steps.at(-1)?.linux?.names ?? [],
    }),
    ...leaf,
  };
}

/**
 * DFSR and IFSR, ARM ARM DDI 0406C B4.1. Short: FS in [10,3:0], WnR in [11], and the domain in [7:4] where it is
 * valid: domain faults, and translation faults at level 2. Long: bit 9, STATUS in [5:0], WnR. IFSR has neither WnR
 * nor a domain.
 */
function faultRegister(
  { wordBytes }: TableFormat,
  { fault, level, status }: { fault: FaultKind; level: number; status: number },
  { write, fetch }: Access,
  domain = 0,
): number {
  const wnr = write ? 1 << 11 : 0;
  if (wordBytes === 8) return (1 << 9) | status | wnr;
  const valid = fault === FaultKind.domain || (fault === FaultKind.translation && level === 2);
  return (status & 0b1111) | ((status >> 4) << 10) | wnr | (valid && !fetch ? domain << 4 : 0);
}

/**
 * Would do_translation_fault find something to copy: init_mm's first-level word, or its pmd entry in the long format?
 * Undefined: the dump does not tell.
 */
function initMmHasEntry(dump: TableDump, format: TableFormat, cpu: number, va: number): boolean | undefined {
  const root = swapperRoot(dump)?.pa;
  if (root === undefined) return undefined;
  const walk = newWalk();
  finishWalk(format.regime(registersOf(dump, cpu, { root })), format.wordBytes, dump.pages, walk, va);
  if (walk.stage === WalkStage.fault) return walk.level > (format.wordBytes === 8 ? 2 : 1);
  return walk.stage === WalkStage.leaf || walk.level > 1 ? true : undefined;
}
