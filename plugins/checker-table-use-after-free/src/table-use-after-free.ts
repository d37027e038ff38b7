import { reportViolation, sliceKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Component,
  Fact,
  KernelFactOf,
  RecordedFact,
  ReportViolation,
  Violation,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { mergeMap } from 'rxjs';
import { evolveWalks, isRead, isWalkFact, WALKS_HEAR, walkNumber } from './walks.ts';
import type { Walks, WalksHeard } from './walks.ts';

/**
 * G2 of spec/page-tables.md, 3.4: a table that a walk can reach is not free. An oracle of its own, from facts
 * alone: which pages of tables init_mm's entries point to, asked when a page is freed; and for each walk where it
 * reads next and whether that page has been freed, asked when it has read. It knows no format and no policy. And a
 * page of tables that is free is not written: who took its address before may come too late.
 *
 * Only an architectural TLB tells of walks: on a machine that counts one geometry, the rule about walks is not asked.
 */
export interface TablesState extends Walks {
  /** By pfn: the fact by which an entry of init_mm came to point to the page. */
  initTables: Record<number, number>;
}

export const ID = 'checker-table-use-after-free';
const key = sliceKey<TablesState>(ID);

const INIT_MM = 0;
type Heard = WalksHeard | VocabularyFactOf<'PudCleared' | 'PmdCleared'>;

const component: Component<TablesState, ReportViolation, Heard | Violation> = {
  evolvesOn: [...WALKS_HEAR, 'PudCleared', 'PmdCleared'],
  initial: () => ({ initTables: {}, freed: {}, tables: {}, roots: {}, walks: {} }),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, at) {
    switch (fact.type) {
      case 'PropertyViolated':
        break;
      case 'PudCleared':
      case 'PmdCleared':
        if (fact.mm === INIT_MM) Reflect.deleteProperty(draft.initTables, Math.floor(fact.table / 4096));
        break;
      default:
        if ('table' in fact && fact.mm === INIT_MM) draft.initTables[Math.floor(fact.table / 4096)] = at.seq;
        evolveWalks(draft, fact, at.seq);
    }
  },
  react: (facts$, view) => facts$.pipe(mergeMap((recorded) => judge(recorded, recorded.fact, view(key)))),
};

function judge({ seq, cpu }: RecordedFact, fact: Fact, state: TablesState): ReportViolation[] {
  if (isPageFreed(fact)) {
    const pages = Array.from({ length: 2 ** fact.order }, (_, i) => fact.pfn + i);
    return pages.flatMap((pfn) => {
      const since = state.initTables[pfn];
      if (since === undefined) return [];
      return [report('a page of tables was freed that init_mm uses', Math.max(cpu, 0), since, seq, 0, pfn)];
    });
  }
  const stored = placeStored(fact);
  if (stored !== undefined) {
    const pfn = Math.floor(stored / 4096);
    const since = state.freed[pfn];
    if (since === undefined) return [];
    const rule = 'an entry was stored in a page of tables that had been freed';
    return [report(rule, Math.max(cpu, 0), since, seq, 0, pfn)];
  }
  if (!isWalkFact(fact)) return [];
  const walk = state.walks[walkNumber(fact)];
  if (!isRead(fact) || walk === undefined || walk.readFreed < 0) return [];
  const rule = 'a walker read a descriptor in a page of tables that had been freed';
  return [report(rule, fact.cpu, walk.readFreed, seq, walk.va, walk.readPage)];
}

/** Where one or more words of memory were stored: the first of them. */
function placeStored(fact: Fact): number | undefined {
  if (fact.type === 'WordsCopied') return (fact as KernelFactOf<'WordsCopied'>).to;
  if (fact.type === 'WordStored' || fact.type === 'WordsFilled')
    return (fact as KernelFactOf<'WordStored' | 'WordsFilled'>).pa;
  return undefined;
}

const isPageFreed = (fact: Fact): fact is VocabularyFactOf<'PageFreed'> => fact.type === 'PageFreed';

const report = (
  rule: string,
  cpu: number,
  culprit: number,
  evidence: number,
  va: number,
  pfn: number,
): ReportViolation => reportViolation(ID, { rule, cpu, culprit, evidence, va, pfn });

export const tableUseAfterFree: CheckerPlugin = { component };
