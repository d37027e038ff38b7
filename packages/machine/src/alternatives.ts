import { present } from '@tablewalk/base';
import { cpusKey, ipisKey, processesKey } from '@tablewalk/contracts';
import type { Alternative, ProcessState, View } from '@tablewalk/contracts';
import type { World } from './fold.ts';
import { pendingIpi } from './stepping.ts';
import type { Threads } from './threads.ts';

/** The process that a CPU runs, if there is one and it can go on. */
export function runningProcess(view: View, cpu: number): ProcessState | undefined {
  const { mm } = present(view(cpusKey)[cpu], 'cpu');
  if (mm === 0) return undefined;
  const process = present(view(processesKey)[mm], 'process');
  return process.phase === 'ready' ? process : undefined;
}

/**
 * Writes into `enabled` everything that could happen next: by CPU, an interrupt before a step. A CPU with IRQs
 * off, or inside a handler, takes no interrupt; a step whose guard does not hold is no alternative.
 */
export function collectAlternatives(
  enabled: Alternative[],
  view: View,
  world: World,
  threads: Threads,
  ipiDeliveryCycles: number,
): void {
  const cpus = view(cpusKey);
  const { open } = view(ipisKey);
  enabled.length = 0;
  for (let cpu = 0; cpu < cpus.length; cpu++) {
    const state = present(cpus[cpu], 'cpu');
    const clock = world.clocks[cpu] as number;
    const top = state.stack.at(-1);
    if (open.length > 0 && state.irqsOff === 0 && top?.irq !== true) {
      const ipi = pendingIpi(open, cpu);
      if (ipi !== undefined)
        enabled.push({ kind: 'ipi', cpu, time: Math.max(clock, ipi.sentAt + ipiDeliveryCycles) });
    }
    if (top !== undefined) {
      const step = present(threads.top(cpu)?.step, 'step');
      const guard = step.kind === 'await' ? step.until : step.kind === 'issue' ? step.when : undefined;
      if (guard === undefined) enabled.push({ kind: 'step', cpu, time: clock });
      else if (guard(view)) enabled.push({ kind: 'step', cpu, time: Math.max(clock, world.now) });
    } else if (runningProcess(view, cpu) !== undefined) enabled.push({ kind: 'user', cpu, time: clock });
  }
}
