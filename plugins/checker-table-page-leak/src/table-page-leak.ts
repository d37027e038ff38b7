import { reportViolation, sliceKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Component,
  Fact,
  KernelFactOf,
  RecordedFact,
  ReportViolation,
  View,
  Violation,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { mergeMap } from 'rxjs';

/**
 * L4 of spec/page-tables.md, 5.8, for whatever levels a format has: every page of tables that an address space got
 * is given back, once. An oracle of its own: a shadow of the pages that were populated, made from the facts that
 * set and cleared an entry and from the allocator's, and asked when a first level is freed, when a process has
 * exited, and when a page is freed. It knows no format and no policy.
 *
 * What was taken out of the tables may be freed after the first level is: it is missed at the exit.
 */
export interface TablePage {
  readonly mm: number;
  /** First address that the table covers. */
  readonly va: number;
  state: PageState;
  /** The fact that populated it; once freed, the one that freed it. */
  since: number;
}
/**
 * `linked`: an entry points to it. `lost`: it did when the first level was freed. `unfreed`: no entry did when the
 * process exited.
 */
type PageState = 'linked' | 'cleared' | 'lost' | 'unfreed' | 'freed' | 'freed-twice';
/** By pfn, until the page is allocated again. */
export type TablePages = Record<number, TablePage>;

export const ID = 'checker-table-page-leak';
const key = sliceKey<TablePages>(ID);

const HEARD = [
  ...['PudPopulated', 'PmdPopulated', 'PudCleared', 'PmdCleared', 'PgdAllocated', 'PgdFreed'],
  ...['PageAllocated', 'PageFreed', 'ProcessExited'],
];
type Heard =
  | VocabularyFactOf<'PudPopulated' | 'PmdPopulated' | 'PudCleared' | 'PmdCleared'>
  | VocabularyFactOf<'PgdAllocated' | 'PgdFreed' | 'PageAllocated' | 'PageFreed'>
  | KernelFactOf<'ProcessExited'>;
type Asked = VocabularyFactOf<'PgdFreed' | 'PageFreed'> | KernelFactOf<'ProcessExited'>;

const component: Component<TablePages, ReportViolation, Heard | Violation> = {
  evolvesOn: HEARD,
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, at) {
    switch (fact.type) {
      case 'PudPopulated':
      case 'PmdPopulated':
        draft[pageOf(fact)] = { mm: fact.mm, va: fact.va, state: 'linked', since: at.seq };
        break;
      case 'PudCleared':
      case 'PmdCleared':
        become(draft[pageOf(fact)], 'linked', 'cleared');
        break;
      case 'PgdFreed':
        for (const page of ofMm(draft, fact.mm)) become(page, 'linked', 'lost');
        break;
      case 'ProcessExited':
        for (const page of ofMm(draft, fact.mm)) become(page, 'cleared', 'unfreed');
        break;
      case 'PgdAllocated':
        // Another life of the same number: what the first one lost is not lost again.
        for (const [pfn, { mm, state }] of Object.entries(draft))
          if (mm === fact.mm && (state === 'lost' || state === 'unfreed')) forget(draft, Number(pfn));
        break;
      case 'PageAllocated':
        for (let i = 0; i < 2 ** fact.order; i++) forget(draft, fact.pfn + i);
        break;
      case 'PageFreed':
        for (let i = 0; i < 2 ** fact.order; i++) free(draft[fact.pfn + i], at.seq);
        break;
      case 'PropertyViolated':
        break;
    }
  },
  react: (facts$, view) =>
    facts$.pipe(mergeMap((recorded) => (isAsked(recorded.fact) ? judge(recorded, recorded.fact, view) : []))),
};

const isAsked = (fact: Fact): fact is Asked => ['PgdFreed', 'PageFreed', 'ProcessExited'].includes(fact.type);
const pageOf = ({ table }: { readonly table: number }): number => Math.floor(table / 4096);
const ofMm = (pages: TablePages, mm: number): TablePage[] =>
  Object.values(pages).filter((page) => page.mm === mm);

function forget(pages: TablePages, pfn: number): void {
  // A slice that is equal must look equal: no key stays behind.
  if (pages[pfn] !== undefined) Reflect.deleteProperty(pages, pfn);
}
function become(page: TablePage | undefined, from: PageState, to: PageState): void {
  if (page?.state === from) page.state = to;
}
function free(page: TablePage | undefined, seq: number): void {
  if (page === undefined) return;
  if (page.state === 'freed' || page.state === 'freed-twice') page.state = 'freed-twice';
  else Object.assign(page, { state: 'freed', since: seq });
}

/** What is asked at a fact: which pages, in which state, break which rule. */
function judge({ seq, cpu }: RecordedFact, fact: Asked, view: View): ReportViolation[] {
  const pages = view(key);
  const found = (pfns: readonly number[], state: PageState, rule: string): ReportViolation[] =>
    pfns.flatMap((pfn) => {
      const page = pages[pfn];
      if (page?.state !== state) return [];
      return [
        reportViolation(ID, {
          rule,
          cpu: Math.max(cpu, 0),
          culprit: page.since,
          evidence: seq,
          va: page.va,
          pfn,
        }),
      ];
    });
  if (fact.type === 'PageFreed') {
    const block = Array.from({ length: 2 ** fact.order }, (_, i) => fact.pfn + i);
    return found(block, 'freed-twice', 'a page of tables was freed twice');
  }
  const own = Object.keys(pages)
    .map(Number)
    .filter((pfn) => pages[pfn]?.mm === fact.mm);
  return fact.type === 'PgdFreed'
    ? found(own, 'lost', 'a first level was freed with a page of tables in it')
    : found(own, 'unfreed', 'a process exited, and a page of its tables was not freed');
}

export const tablePageLeak: CheckerPlugin = { component };
