import { cpusKey, ofType, reportViolation, sliceKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Component,
  KernelFactOf,
  PgdTables,
  RecordedFact,
  ReportViolation,
  View,
  Violation,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { filter, map, merge, mergeMap } from 'rxjs';

/**
 * What G1 of spec/page-tables.md is for: an address of vmalloc space leads every CPU to the device that is mapped
 * there now, or to a fault. An oracle of its own: a shadow of who was promised which range, made from the facts
 * that ioremap has returned and that iounmap has, and asked at every access that got through. It knows
 * nothing of tables, sequences and TLBs.
 *
 * Between the begin and the end of iounmap the old device may still be reached: its end is the promise.
 *
 * Where it is told to look at tables as well (`look: tables`), it names the cause before there is an access: when
 * iounmap or ioremap has returned, and when a CPU loads a first level afterwards, that level must not have an
 * entry for the range that is neither none nor init_mm's. A lazy fault mends what is missing, never what is wrong.
 */
export interface Range {
  readonly va: number;
  readonly bytes: number;
  readonly pa: number;
  /** False once iounmap has returned: until the range is mapped again nothing may be reached there. */
  readonly mapped: boolean;
  /** The fact that made it so. */
  readonly since: number;
}
/** Ascending; ranges do not overlap, and addresses that were never mapped are in none. */
export type RangesState = Range[];

export const ID = 'checker-kernel-mapping-divergence';
const key = sliceKey<RangesState>(ID);

const ENDED = 'a device was reached after its mapping had ended';
const OTHER_DEVICE = 'an address led to another device than the one that is mapped there';
const DIVERGENT =
  'a CPU walks an entry for kernel memory that init_mm does not have, and no fault will mend it';

type Heard = VocabularyFactOf<'DeviceMapped' | 'DeviceUnmapped'>;
type Access = VocabularyFactOf<'AccessPerformed'>;

const component: Omit<Component<RangesState, ReportViolation, Heard | Violation>, 'react'> = {
  evolvesOn: ['DeviceMapped', 'DeviceUnmapped'],
  initial: () => [],
  decide: ({ violation }) => [violation],
  evolve(draft, fact, at) {
    if (fact.type === 'PropertyViolated' || fact.bytes === 0) return;
    const { va, bytes, pa } = fact;
    const rest = draft.flatMap((range) => outside(range, va, va + bytes));
    const mapped = fact.type === 'DeviceMapped';
    rest.push({ va, bytes, pa, mapped, since: at.seq });
    rest.sort((a, b) => a.va - b.va);
    draft.splice(0, draft.length, ...rest);
  },
};

/** What is left of a range without the addresses [start, end). */
function outside(range: Range, start: number, end: number): Range[] {
  const { va, pa } = range;
  const last = va + range.bytes;
  if (end <= va || start >= last) return [{ ...range }];
  return [
    ...(va < start ? [{ ...range, bytes: start - va }] : []),
    ...(last > end ? [{ ...range, va: end, pa: pa + (end - va), bytes: last - end }] : []),
  ];
}

type Told = Heard | KernelFactOf<'ContextSwitched'>;

/** First levels that CPUs walk now, against init_mm's, where a promise has been given. */
function judgeTables(
  { seq, fact }: { readonly seq: number; readonly fact: Told },
  pgd: PgdTables,
  view: View,
): ReportViolation[] {
  const cpus = view(cpusKey);
  const looked =
    fact.type === 'ContextSwitched'
      ? view(key).flatMap((range) => (range.mapped ? [] : [{ cpu: fact.cpu, range }]))
      : cpus.map((_, cpu) => ({ cpu, range: { va: fact.va, bytes: fact.bytes, since: seq } }));
  return looked.flatMap(({ cpu, range: { va, bytes, since } }) => {
    const { mm = 0, ttbr = 0 } = cpus[cpu] ?? {};
    const [first] = mm === 0 || ttbr === 0 ? [] : pgd.divergent(view, ttbr, va, va + bytes);
    return first === undefined ? [] : [report(DIVERGENT, cpu, since, seq, Math.max(first, va), 0)];
  });
}

function judge({ seq }: RecordedFact, { cpu, va, pa }: Access, view: View): ReportViolation | undefined {
  const range = view(key).find((each) => va >= each.va && va < each.va + each.bytes);
  if (range === undefined || (range.mapped && pa === range.pa + (va - range.va))) return undefined;
  const rule = range.mapped ? OTHER_DEVICE : ENDED;
  return report(rule, cpu, range.since, seq, va, Math.floor(pa / 4096));
}

function report(
  rule: string,
  cpu: number,
  culprit: number,
  evidence: number,
  va: number,
  pfn: number,
): ReportViolation {
  return reportViolation(ID, { rule, cpu, culprit, evidence, va, pfn });
}

/** `pgd`: the format's first levels, where it is to look at them. */
export const kernelMappingDivergence = (pgd?: PgdTables): CheckerPlugin => ({
  component: {
    ...component,
    react: (facts$, view) => {
      const accesses = facts$.pipe(
        ofType<Access>('AccessPerformed'),
        map((recorded) => judge(recorded, recorded.fact, view)),
        filter((each) => each !== undefined),
      );
      if (pgd === undefined) return accesses;
      const tables = facts$.pipe(
        ofType<Told>('DeviceMapped', 'DeviceUnmapped', 'ContextSwitched'),
        mergeMap((recorded) => judgeTables(recorded, pgd, view)),
      );
      return merge(accesses, tables);
    },
  },
});
