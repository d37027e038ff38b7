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
 * No lost write (spec/kmap.md, 2.4, K5 and K7; KM-1): an invalidation that was ordered for one page must not
 * throw away what is dirty of another. To lose dirty lines of the page itself is what dma_map_page from the
 * device means to do. The model of the cache says for which line an order was meant; the cause is who gave the
 * address to the other page, if that was kmap.
 */
export const ID = 'checker-lost-dirty-line';

/** The fact that mapped an address, by virtual page number, while it is mapped. */
export type MappingsState = Record<number, number>;
const key = sliceKey<MappingsState>(ID);

type Dropped = VocabularyFactOf<'CacheLineDropped'>;
type Heard = VocabularyFactOf<'KmapSlotMapped' | 'KmapSlotUnmapped'>;

const component: Component<MappingsState, ReportViolation, Heard | Violation> = {
  evolvesOn: ['KmapSlotMapped', 'KmapSlotUnmapped'],
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, { seq }) {
    if (fact.type === 'KmapSlotMapped') draft[pageOf(fact.va)] = seq;
    else if (fact.type === 'KmapSlotUnmapped') delete draft[pageOf(fact.va)];
  },
  react: (facts$, view) =>
    facts$.pipe(
      ofType<Dropped>('CacheLineDropped'),
      filter(({ fact: { dirty, pa, meant } }) => dirty && pageOf(pa) !== pageOf(meant)),
      map((recorded) => report(recorded, recorded.fact, view)),
    ),
};

const pageOf = (address: number): number => Math.floor(address / 4096);

const report = ({ seq }: RecordedFact, { cpu, va, pa }: Dropped, view: View): ReportViolation =>
  reportViolation(ID, {
    rule: 'a dirty line of another page was invalidated',
    cpu,
    culprit: view(key)[pageOf(va)] ?? seq,
    evidence: seq,
    va,
    pfn: pageOf(pa),
  });

export const lostDirtyLine: CheckerPlugin = { component };
