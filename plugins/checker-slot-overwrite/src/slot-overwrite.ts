import { ofType, reportViolation, sliceKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Component,
  RecordedFact,
  ReportViolation,
  View,
  Violation,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { filter, map } from 'rxjs';

/**
 * Who has mapped a page in a kmap slot keeps it until it unmaps it (spec/kmap.md, 4.1, KA-1). An oracle of its
 * own: a shadow of who uses each slot, made from the facts alone. It keeps the first user of a slot that is
 * overwritten, as that user thinks it still has it. One page mapped twice by two users is no fault.
 */
export const ID = 'checker-slot-overwrite';

export interface SlotUse {
  readonly pfn: number;
  /** The fact that mapped it. */
  readonly since: number;
}
/** By slot, while it is in use. */
export type UsesState = Record<number, SlotUse>;
const key = sliceKey<UsesState>(ID);

type Mapped = VocabularyFactOf<'KmapSlotMapped'>;
type Heard = Mapped | VocabularyFactOf<'KmapSlotUnmapped'>;

const component: Component<UsesState, ReportViolation, Heard | Violation> = {
  evolvesOn: ['KmapSlotMapped', 'KmapSlotUnmapped'],
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, at) {
    if (fact.type === 'PropertyViolated') return;
    const { slot, pfn } = fact;
    if (fact.type === 'KmapSlotMapped') draft[slot] ??= { pfn, since: at.seq };
    else if (draft[slot]?.pfn === pfn) delete draft[slot];
  },
  react: (facts$, view) =>
    facts$.pipe(
      ofType<Mapped>('KmapSlotMapped'),
      map((recorded) => judge(recorded, recorded.fact, view)),
      filter((report) => report !== undefined),
    ),
};

function judge(
  { seq, cpu }: RecordedFact,
  { slot, pfn, va }: Mapped,
  view: View,
): ReportViolation | undefined {
  const user = view(key)[slot];
  if (user === undefined || user.pfn === pfn) return undefined;
  return reportViolation(ID, {
    rule: 'a kmap slot in use was mapped to another page',
    cpu: Math.max(0, cpu),
    culprit: user.since,
    evidence: seq,
    va,
    pfn: user.pfn,
  });
}

export const slotOverwrite: CheckerPlugin = { component };
