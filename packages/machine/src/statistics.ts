import { present } from '@tablewalk/base';
import { sliceKey } from '@tablewalk/contracts';
import type { Command, Component, Fact, KernelFactOf, VocabularyFactOf } from '@tablewalk/contracts';

/** What a run counted, by CPU. Folded from facts, so that a replay to any fact gives the same report. */
export interface CpuStatistics {
  references: number;
  /** By number of the data plane's counter. */
  counters: number[];
  aborts: number;
  ipisSent: number;
  ipisTaken: number;
  tlbInvalidations: number;
  contextSwitches: number;
  staleTranslationsUsed: number;
}
export interface StatisticsState {
  cpus: CpuStatistics[];
  pagesAllocated: number;
  pagesFreed: number;
  pagesReclaimed: number;
  violations: number;
  /** Processes that the kernel ended: by mm, the reason. */
  killed: Record<number, string>;
  /** Where counting began, when that was after a warm-up: facts, cycles by CPU, references by mm until then. */
  since?: { facts: number; clocks: readonly number[]; retired: readonly number[] };
}
export const statisticsKey = sliceKey<StatisticsState>('statistics');

type Counted =
  | KernelFactOf<
      | 'BatchRetired'
      | 'AbortTaken'
      | 'IpiSent'
      | 'IpiDelivered'
      | 'ContextSwitched'
      | 'StaleTranslationUsed'
      | 'PropertyViolated'
      | 'MeasurementBegan'
    >
  | VocabularyFactOf<'TlbInvalidated' | 'PageAllocated' | 'PageFreed' | 'PageReclaimed' | 'ProcessKilled'>;

export const statisticsComponent = (cpus: number): Component<StatisticsState, Command, Counted & Fact> => ({
  evolvesOn: [
    'BatchRetired',
    'AbortTaken',
    'IpiSent',
    'IpiDelivered',
    'ContextSwitched',
    'StaleTranslationUsed',
    'PropertyViolated',
    'TlbInvalidated',
    'PageAllocated',
    'PageFreed',
    'PageReclaimed',
    'ProcessKilled',
    'MeasurementBegan',
  ],
  bystander: true,
  initial: () => ({ ...nothingCounted(cpus), violations: 0, killed: {} }),
  decide: () => [],
  evolve(draft, fact, at) {
    switch (fact.type) {
      case 'BatchRetired': {
        const cpu = onCpu(draft, fact.cpu);
        cpu.references += fact.count;
        for (let i = 0; i < fact.counters.length; i += 2) {
          const counter = fact.counters[i] as number;
          while (cpu.counters.length <= counter) cpu.counters.push(0);
          cpu.counters[counter] = (cpu.counters[counter] as number) + (fact.counters[i + 1] as number);
        }
        break;
      }
      case 'AbortTaken':
        onCpu(draft, fact.cpu).aborts += 1;
        break;
      case 'IpiSent':
        onCpu(draft, fact.from).ipisSent += 1;
        break;
      case 'IpiDelivered':
        onCpu(draft, fact.cpu).ipisTaken += 1;
        break;
      case 'TlbInvalidated':
        onCpu(draft, fact.cpu).tlbInvalidations += 1;
        break;
      case 'ContextSwitched':
        onCpu(draft, fact.cpu).contextSwitches += 1;
        break;
      case 'StaleTranslationUsed':
        onCpu(draft, fact.cpu).staleTranslationsUsed += 1;
        break;
      case 'PageAllocated':
        draft.pagesAllocated += 2 ** fact.order;
        break;
      case 'PageFreed':
        draft.pagesFreed += 2 ** fact.order;
        break;
      case 'PageReclaimed':
        draft.pagesReclaimed += 1;
        break;
      case 'PropertyViolated':
        draft.violations += 1;
        break;
      case 'ProcessKilled':
        draft.killed[fact.mm] = fact.reason;
        break;
      // What went wrong in the warm-up is not forgotten.
      case 'MeasurementBegan':
        Object.assign(draft, nothingCounted(cpus));
        draft.since = { facts: at.seq + 1, clocks: [...fact.clocks], retired: [...fact.retired] };
        break;
    }
  },
});

const nothingCounted = (cpus: number): Omit<StatisticsState, 'violations' | 'killed'> => ({
  cpus: Array.from({ length: cpus }, () => ({
    references: 0,
    counters: [],
    aborts: 0,
    ipisSent: 0,
    ipisTaken: 0,
    tlbInvalidations: 0,
    contextSwitches: 0,
    staleTranslationsUsed: 0,
  })),
  pagesAllocated: 0,
  pagesFreed: 0,
  pagesReclaimed: 0,
});

const onCpu = (draft: StatisticsState, cpu: number): CpuStatistics => present(draft.cpus[cpu], 'cpu');
