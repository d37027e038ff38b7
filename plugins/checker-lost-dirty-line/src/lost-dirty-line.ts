import { ofType } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Command,
  Component,
  KernelFactOf,
  RecordedFact,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { filter, map } from 'rxjs';

/**
 * No lost write (spec/kmap.md, 2.4, K5 and K7; KM-1): an invalidation that was ordered for one page must not
 * throw away what is dirty of another. To lose dirty lines of the page itself is what dma_map_page from the
 * device means to do. It needs no memory: the model of the cache says for which line an order was meant.
 */
export const ID = 'checker-lost-dirty-line';

type Dropped = VocabularyFactOf<'CacheLineDropped'>;
type Violation = KernelFactOf<'PropertyViolated'>;
interface Report extends Command {
  readonly violation: Violation;
}

const component: Component<Record<string, never>, Report, Violation> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve() {},
  react: (facts$) =>
    facts$.pipe(
      ofType<Dropped>('CacheLineDropped'),
      filter(({ fact: { dirty, pa, meant } }) => dirty && pageOf(pa) !== pageOf(meant)),
      map((recorded) => report(recorded, recorded.fact)),
    ),
};

const pageOf = (pa: number): number => Math.floor(pa / 4096);

const report = ({ seq }: RecordedFact, { cpu, va, pa }: Dropped): Report => ({
  to: ID,
  type: 'ReportViolation',
  violation: {
    type: 'PropertyViolated',
    checker: ID,
    rule: 'a dirty line of another page was invalidated',
    cpu,
    culprit: seq,
    evidence: seq,
    va,
    pfn: pageOf(pa),
  },
});

export const lostDirtyLine: CheckerPlugin = { component };
