import type { Alternative, SchedulerPlugin } from '@tablewalk/contracts';

/**
 * Virtual time: the CPU that is furthest behind goes first; of equal times an interrupt goes before a
 * step, and the lower CPU before the higher one.
 *
 * A process may run until it would overtake the next CPU, but not less than `fine` references; when
 * every CPU is in user mode, where they meet only in shared caches, not less than `coarse`.
 */
export interface TimedConfig {
  readonly fine: number;
  readonly coarse: number;
}

export function timedScheduler({ fine, coarse }: TimedConfig): SchedulerPlugin {
  return {
    choose(enabled) {
      let best = 0;
      for (let i = 1; i < enabled.length; i++)
        if (before(enabled[i] as Alternative, enabled[best] as Alternative)) best = i;
      return best;
    },
    budget(chosen, enabled) {
      let allUser = true;
      let next = Infinity;
      for (let i = 0; i < enabled.length; i++) {
        const { kind, cpu, time } = enabled[i] as Alternative;
        if (kind !== 'user') allUser = false;
        // Its own CPU counts when an interrupt is on its way there: it preempts the process.
        if ((cpu !== chosen.cpu || kind === 'ipi') && time < next) next = time;
      }
      if (next === Infinity) return Infinity;
      // A reference takes at least a cycle, so this many cannot overtake by more than their misses cost.
      return Math.max(allUser ? coarse : fine, Math.floor(next - chosen.time));
    },
  };
}

const URGENCY = { ipi: 0, step: 1, task: 1, user: 2, action: 3 } as const;

function before(a: Alternative, b: Alternative): boolean {
  if (a.time !== b.time) return a.time < b.time;
  if (a.kind !== b.kind) return URGENCY[a.kind] < URGENCY[b.kind];
  return a.cpu < b.cpu;
}
