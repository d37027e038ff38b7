import { sparseTable, tableDelete, tableGet, tableSet } from '@tablewalk/base';
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
 * INV-3 of spec/mmu-gather.md, RevokedOnReturn: once the routine that unmapped a page has finished its
 * gather, no CPU can use the old translation. Before that a stale entry is legal: a shootdown that
 * covers it is under way.
 *
 * The oracle knows which gathers are open, and which pages were unmapped in which of them; it knows
 * nothing of TLBs.
 */
export interface PendingState {
  /** Open gathers by CPU, as a count (a reclaim may open one while an exit has another open). */
  open: Record<number, number>;
  /** By frame: the CPU that cleared its entry, and the fact; deleted when the frame is mapped again. */
  cleared: SparseTable<{ readonly cpu: number; readonly since: number; readonly finished: boolean }>;
  /** Frames cleared by each CPU's open gathers. */
  byCpu: Record<number, number[]>;
}

export const ID = 'checker-stale-translation';
const key = sliceKey<PendingState>(ID);

type Heard = VocabularyFactOf<'GatherStarted' | 'GatherFinished' | 'PteCleared' | 'PteSet'>;
type Stale = KernelFactOf<'StaleTranslationUsed'>;

const component: Component<PendingState, ReportViolation, Heard | Violation> = {
  evolvesOn: ['GatherStarted', 'GatherFinished', 'PteCleared', 'PteSet'],
  initial: () => ({ open: {}, cleared: sparseTable(), byCpu: {} }),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, at) {
    switch (fact.type) {
      case 'GatherStarted':
        draft.open[fact.cpu] = (draft.open[fact.cpu] ?? 0) + 1;
        break;
      case 'GatherFinished': {
        const left = (draft.open[fact.cpu] ?? 1) - 1;
        draft.open[fact.cpu] = left;
        if (left > 0) break;
        for (const pfn of draft.byCpu[fact.cpu] ?? []) {
          const entry = tableGet(draft.cleared, pfn);
          if (entry?.cpu === fact.cpu) tableSet(draft.cleared, pfn, { ...entry, finished: true });
        }
        draft.byCpu[fact.cpu] = [];
        break;
      }
      case 'PteCleared':
        tableSet(draft.cleared, fact.pfn, { cpu: at.cpu, since: at.seq, finished: false });
        (draft.byCpu[at.cpu] ??= []).push(fact.pfn);
        break;
      case 'PteSet':
        tableDelete(draft.cleared, fact.pfn);
        break;
    }
  },
  react: (facts$, view) =>
    facts$.pipe(
      ofType<Stale>('StaleTranslationUsed'),
      map((recorded) => judge(recorded, recorded.fact, view)),
      filter((report) => report !== undefined),
    ),
};

function judge({ seq }: RecordedFact, { cpu, va, pfn }: Stale, view: View): ReportViolation | undefined {
  const entry = tableGet(view(key).cleared, pfn);
  if (entry === undefined || !entry.finished) return undefined;
  const rule = 'translation used after its unmapping had finished';
  return reportViolation(ID, { rule, cpu, culprit: entry.since, evidence: seq, va, pfn });
}

export const staleTranslation: CheckerPlugin = { component };
