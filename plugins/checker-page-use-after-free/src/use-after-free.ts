import { sparseTable, tableGet, tableSet } from '@tablewalk/base';
import type { SparseTable } from '@tablewalk/base';
import { ofType, reportViolation, sliceKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Component,
  KernelFactOf,
  RecordedFact,
  ReportViolation,
  View,
  Violation,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { filter, map } from 'rxjs';

/**
 * INV-1 of spec/mmu-gather.md, NoDataUAF: no CPU reaches a page after it went back to the allocator.
 * An oracle of its own: a shadow of who owns each frame, made from nothing but the allocator's facts,
 * asked whenever an access went through a translation that the tables no longer have.
 */
export interface Ownership {
  /** The owner, or -1 once freed. */
  readonly mm: number;
  readonly va: number;
  /** The fact that made it so. */
  readonly since: number;
}
export type ShadowState = SparseTable<Ownership>;

export const ID = 'checker-page-use-after-free';
const key = sliceKey<ShadowState>(ID);

type Heard = VocabularyFactOf<'PageAllocated' | 'PageFreed'>;
type Stale = KernelFactOf<'StaleTranslationUsed'>;

const component: Component<ShadowState, ReportViolation, Heard | Violation> = {
  evolvesOn: ['PageAllocated', 'PageFreed'],
  initial: () => sparseTable<Ownership>(),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, at) {
    if (fact.type === 'PropertyViolated') return;
    const owner =
      fact.type === 'PageAllocated'
        ? { mm: fact.mm, va: fact.va, since: at.seq }
        : { mm: -1, va: 0, since: at.seq };
    for (let i = 0; i < 2 ** fact.order; i++) tableSet(draft, fact.pfn + i, owner);
  },
  react: (facts$, view) =>
    facts$.pipe(
      ofType<Stale>('StaleTranslationUsed'),
      map((recorded) => judge(recorded, recorded.fact, view)),
      filter((report) => report !== undefined),
    ),
};

function judge({ seq }: RecordedFact, { cpu, mm, va, pfn }: Stale, view: View): ReportViolation | undefined {
  const owner = tableGet(view(key), pfn);
  if (owner === undefined) return undefined;
  const page = Math.floor(va / 4096) * 4096;
  if (owner.mm === mm && owner.va === page) return undefined;
  const rule = owner.mm === -1 ? 'access to a freed page' : "access to another owner's page";
  return reportViolation(ID, { rule, cpu, culprit: owner.since, evidence: seq, va, pfn });
}

export const useAfterFree: CheckerPlugin = { component };
