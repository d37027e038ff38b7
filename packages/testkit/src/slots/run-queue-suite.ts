import type { KernelFactOf, Manifest, RecordedFact, VocabularyFactOf } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { runSmall } from '../run-small.ts';
import { inSlot, openMachine } from '../small-machine.ts';
import type { Knobs, SmallMachine } from '../small-machine.ts';
import { syntheticTrace } from '../synthetic-trace.ts';

export interface RunQueueSupport {
  readonly knobs?: readonly Knobs[];
}

type Heard =
  | VocabularyFactOf<'SliceStarted'>
  | KernelFactOf<'BatchRetired' | 'ProcessExited' | 'ProcessReady' | 'ContextSwitched'>;

const PROCESSES = 3;
const REFERENCES = 600;

/** A process is in one place at a time, and none is forgotten. */
export function runQueueSuite(manifest: Manifest, { knobs = [{ slice: 50 }] }: RunQueueSupport = {}): void {
  const work = Array.from({ length: PROCESSES }, (_, i) =>
    syntheticTrace({ seed: i + 31, references: REFERENCES, pages: 8 }),
  );
  const schedulers = ['scheduler-timed', 'scheduler-round-robin', 'scheduler-random'];
  const machines = [1, 2, 4].flatMap((cpus) => schedulers.map((scheduler) => ({ cpus, scheduler })));

  describe.each(knobs)(`slot run-queue: ${manifest.id} %j`, (knob) => {
    it.each(machines)(
      'runs every process to its end, each on one CPU at a time ($cpus CPUs, $scheduler)',
      ({ cpus, scheduler }) => {
        const own = inSlot(manifest, knob);
        const machine: SmallMachine = { ...own, cpus, ram: '1MiB', slots: { ...own.slots, scheduler } };
        const { facts, status } = runSmall(openMachine(machine).built, work);
        expect(status.kind).toBe('finished');
        const { retired, longestWait } = follow(facts, cpus);
        expect([...retired.values()]).toEqual(work.map(() => REFERENCES));
        // Between two slices of a waiting process every other one may have had its turn on every CPU.
        expect(longestWait).toBeLessThanOrEqual(PROCESSES * cpus + cpus);
      },
    );
  });
}

/** Follows who holds which CPU; throws where somebody runs without holding it. */
function follow(
  facts: readonly RecordedFact[],
  cpus: number,
): { retired: Map<number, number>; longestWait: number } {
  const holder = Array.from({ length: cpus }, () => 0);
  const retired = new Map(Array.from({ length: PROCESSES }, (_, i) => [i + 1, 0]));
  const alive = new Set(retired.keys());
  const waited = new Map([...retired.keys()].map((mm) => [mm, 0]));
  let longestWait = 0;
  for (const { fact } of facts) {
    const heard = fact as Heard;
    if (heard.type === 'SliceStarted') {
      const { cpu, mm } = heard;
      expect(alive.has(mm), `mm ${mm} gets a slice and has exited`).toBe(true);
      const elsewhere = holder.findIndex((held, at) => at !== cpu && held === mm);
      expect(elsewhere, `mm ${mm} is on CPU ${elsewhere} and gets a slice on CPU ${cpu}`).toBe(-1);
      holder[cpu] = mm;
      for (const other of alive) if (!holder.includes(other)) waited.set(other, (waited.get(other) ?? 0) + 1);
      longestWait = Math.max(longestWait, ...waited.values());
      waited.set(mm, 0);
    } else if (heard.type === 'BatchRetired') {
      expect(holder[heard.cpu], `references of mm ${heard.mm} on CPU ${heard.cpu}`).toBe(heard.mm);
      retired.set(heard.mm, (retired.get(heard.mm) ?? 0) + heard.count);
    } else if (heard.type === 'ProcessExited') {
      alive.delete(heard.mm);
      waited.delete(heard.mm);
      for (let cpu = 0; cpu < cpus; cpu++) if (holder[cpu] === heard.mm) holder[cpu] = 0;
    }
  }
  expect([...alive], 'processes that never exited').toEqual([]);
  return { retired, longestWait };
}
