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
import { map, merge } from 'rxjs';

/**
 * "CPU sees last device write after unmap" (spec/caches-and-dma.md, 9), by its two ways to fail: DMA-3, a line that
 * was dirty while the device wrote is written back over it; DMA-4, a line that came before the device wrote
 * answers a load. The model of the cache says which lines are older than memory; the cause is what brought the line.
 *
 * A load before dma_unmap_page is told of too (DMA-7): its data are as old, and the driver's mistake is another.
 */
export const ID = 'checker-stale-dma-data';

/** The last fact that brought a line to a cache, or made it dirty there, by its physical address. */
export type OriginsState = Record<number, number>;
const key = sliceKey<OriginsState>(ID);

type Heard = VocabularyFactOf<'CacheLineFilled' | 'CacheLineDirtied'>;
type Stale = VocabularyFactOf<'StaleLineRead' | 'StaleLineWrittenBack'>;

const RULES: Readonly<Record<Stale['type'], string>> = {
  StaleLineRead: 'a CPU has read a line that is older than what a device wrote',
  StaleLineWrittenBack: 'a write-back has overwritten what a device wrote',
};

const component: Component<OriginsState, ReportViolation, Heard | Violation> = {
  evolvesOn: ['CacheLineFilled', 'CacheLineDirtied'],
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve(draft, fact, { seq }) {
    if (fact.type !== 'PropertyViolated') draft[fact.pa] = seq;
  },
  react: (facts$, view) =>
    merge(
      facts$.pipe(ofType<VocabularyFactOf<'StaleLineRead'>>('StaleLineRead')),
      facts$.pipe(ofType<VocabularyFactOf<'StaleLineWrittenBack'>>('StaleLineWrittenBack')),
    ).pipe(map((recorded) => report(recorded, recorded.fact, view))),
};

const report = ({ seq }: RecordedFact, { type, cpu, va, pa }: Stale, view: View): ReportViolation =>
  reportViolation(ID, {
    rule: RULES[type],
    cpu,
    culprit: view(key)[pa] ?? seq,
    evidence: seq,
    va,
    pfn: Math.floor(pa / 4096),
  });

export const staleDmaData: CheckerPlugin = { component };
