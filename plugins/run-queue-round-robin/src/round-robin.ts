import { cpusKey, issue, processesKey, read, sliceKey } from '@tablewalk/contracts';
import type {
  AsidPlugin,
  Command,
  Component,
  KernelFactOf,
  MmPlugin,
  RunQueuePlugin,
  VocabularyFactOf,
} from '@tablewalk/contracts';

/**
 * One queue for all CPUs. A process runs for `slice` references, then goes to the end of the queue if
 * another one waits; a CPU takes the head. Time slices are counted in references, not in cycles, so
 * that a study of context switches has a number to hold on to.
 */
export interface RoundRobinState {
  /** Processes that wait, by mm; the next one first. */
  queue: number[];
  /** By CPU: the process that holds it (0: none) and the references left of its slice. */
  running: { mm: number; left: number }[];
}
const runQueueKey = sliceKey<RoundRobinState>('run-queue');

type Heard =
  VocabularyFactOf<'SliceStarted'> | KernelFactOf<'ProcessCreated' | 'ProcessExited' | 'BatchRetired'>;

export function roundRobinQueue(slice: number, cpus: number, asid: AsidPlugin, mm: MmPlugin): RunQueuePlugin {
  const component: Component<RoundRobinState, Command & { cpu: number }, Heard> = {
    evolvesOn: ['ProcessCreated', 'SliceStarted', 'BatchRetired', 'ProcessExited'],
    initial: () => ({ queue: [], running: Array.from({ length: cpus }, () => ({ mm: 0, left: 0 })) }),
    decide({ cpu }, state) {
      const next = state.queue[0] ?? state.running[cpu]?.mm ?? 0;
      return next === 0 ? [] : [{ type: 'SliceStarted', cpu, mm: next }];
    },
    evolve(draft, fact) {
      if (fact.type === 'ProcessCreated') {
        draft.queue.push(fact.mm);
        return;
      }
      if (fact.type === 'ProcessExited') {
        draft.queue = draft.queue.filter((queued) => queued !== fact.mm);
        for (const holder of draft.running)
          if (holder.mm === fact.mm) Object.assign(holder, { mm: 0, left: 0 });
        return;
      }
      const holder = draft.running[fact.cpu];
      if (holder === undefined) return;
      if (fact.type === 'BatchRetired') {
        holder.left -= fact.count;
        return;
      }
      if (holder.mm !== fact.mm) {
        draft.queue.shift();
        if (holder.mm !== 0) draft.queue.push(holder.mm);
      }
      holder.mm = fact.mm;
      holder.left = slice;
    },
  };

  return {
    component,
    remaining: (view, cpu) => Math.max(0, view(runQueueKey).running[cpu]?.left ?? 0),
    waiting: (view) => view(runQueueKey).queue.length > 0,
    programs: {
      *schedule(context) {
        const { cpu } = context;
        const pick = { to: 'run-queue', type: 'PickNext', cpu } as Command;
        const [next] = yield* issue<Heard>(pick, ([fact]) =>
          fact?.type === 'SliceStarted' ? [fact.mm] : [],
        );
        if (next === undefined) return;
        const phase = yield* read((view) => Number(view(processesKey)[next]?.phase === 'new'));
        if (phase === 1 && !(yield* mm.create(context, next))) return;
        const current = yield* read((view) => view(cpusKey)[cpu]?.mm ?? 0);
        if (current !== next) yield* asid.switchMm(context, next);
      },
    },
  };
}
