import { ofType, sliceKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Command,
  Component,
  KernelFactOf,
  RecordedFact,
  View,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { filter, map } from 'rxjs';

/**
 * What G1 of spec/page-tables.md is for: an address of vmalloc space leads every CPU to the device that is mapped
 * there now, or to a fault. An oracle of its own: a shadow of who was promised which range, made from the facts
 * that ioremap has returned and that iounmap has, and asked at every access that got through. It knows
 * nothing of tables, sequences and TLBs.
 *
 * Between the begin and the end of iounmap the old device may still be reached: its end is the promise.
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

type Heard = VocabularyFactOf<'DeviceMapped' | 'DeviceUnmapped'>;
type Access = VocabularyFactOf<'AccessPerformed'>;
type Violation = KernelFactOf<'PropertyViolated'>;
interface Report extends Command {
  readonly violation: Violation;
}

const component: Component<RangesState, Report, Heard | Violation> = {
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
  react: (facts$, view) =>
    facts$.pipe(
      ofType<Access>('AccessPerformed'),
      map((recorded) => judge(recorded, recorded.fact, view)),
      filter((report) => report !== undefined),
    ),
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

function judge({ seq }: RecordedFact, { cpu, va, pa }: Access, view: View): Report | undefined {
  const range = view(key).find((each) => va >= each.va && va < each.va + each.bytes);
  if (range === undefined || (range.mapped && pa === range.pa + (va - range.va))) return undefined;
  const violation: Violation = {
    type: 'PropertyViolated',
    checker: ID,
    rule: range.mapped
      ? 'an address led to another device than the one that is mapped there'
      : 'a device was reached after its mapping had ended',
    cpu,
    culprit: range.since,
    evidence: seq,
    va,
    pfn: Math.floor(pa / 4096),
  };
  return { to: ID, type: 'ReportViolation', violation };
}

export const kernelMappingDivergence: CheckerPlugin = { component };
