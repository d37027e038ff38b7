import type { KernelFact, MachineFacts, RunQueuePlugin, Slots, VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { manifest } from './manifest.ts';
import type { RoundRobinState } from './round-robin.ts';

const plugin = manifest.create({ slice: 100 }, {} as Slots, { cpus: 2 } as MachineFacts) as RunQueuePlugin;
const queue = (): ReturnType<typeof given<RoundRobinState, PickNext, VocabularyFact>> =>
  given('run-queue', plugin.component as never);
interface PickNext {
  readonly to: string;
  readonly type: string;
  readonly cpu: number;
}
const pick = (cpu: number): PickNext => ({ to: 'run-queue', type: 'PickNext', cpu });
const created = (mm: number): KernelFact => ({ type: 'ProcessCreated', mm, name: '' });
const started = (cpu: number, mm: number): VocabularyFact => ({ type: 'SliceStarted', cpu, mm });
const exited = (mm: number): KernelFact => ({ type: 'ProcessExited', cpu: 0, mm });
const retired = (cpu: number, mm: number, count: number): KernelFact => ({
  type: 'BatchRetired',
  cpu,
  mm,
  batch: 0,
  from: 0,
  count,
  digest: 0,
  counters: [],
});

describe('run-queue-round-robin', () => {
  it('a CPU takes the process that has waited longest', () => {
    queue().facts(created(1), created(2)).when(pick(0)).then(started(0, 1));
    queue().facts(created(1), created(2), started(0, 1)).when(pick(1)).then(started(1, 2));
  });

  it('who has used up the slice goes to the end of the queue', () => {
    queue()
      .facts(created(1), created(2), created(3), started(0, 1), retired(0, 1, 100), started(0, 2))
      .holds({
        queue: [3, 1],
        running: [
          { mm: 2, left: 100 },
          { mm: 0, left: 0 },
        ],
      });
  });

  it('who is alone goes on with a fresh slice', () => {
    const alone = queue().facts(created(1), started(0, 1), retired(0, 1, 100));
    alone.when(pick(0)).then(started(0, 1));
    alone.facts(started(0, 1)).holds({
      queue: [],
      running: [
        { mm: 1, left: 100 },
        { mm: 0, left: 0 },
      ],
    });
  });

  it('with nothing to run there is nothing to say', () => {
    queue().when(pick(0)).then();
    queue().facts(created(1), started(0, 1)).when(pick(1)).then();
  });

  it('who exits leaves the CPU and the queue', () => {
    queue()
      .facts(created(1), created(2), started(0, 1), exited(1), exited(2))
      .holds({
        queue: [],
        running: [
          { mm: 0, left: 0 },
          { mm: 0, left: 0 },
        ],
      });
  });
});
