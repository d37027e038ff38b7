import { processesKey } from '@tablewalk/contracts';
import type { KernelFact, Measure, View } from '@tablewalk/contracts';
import type { World } from './fold.ts';

/** References that have retired on the whole machine, warm-up and all. */
export function referencesRetired(view: View): number {
  const processes = view(processesKey);
  let retired = 0;
  for (let mm = 0; mm < processes.length; mm++) retired += processes[mm]?.retired ?? 0;
  return retired;
}

/** What is recorded of a place in the measured run. */
export function measureFact({ what, references }: Measure, world: World, view: View): KernelFact {
  if (what === 'interval') return { type: 'IntervalEnded', references };
  if (what === 'end') return { type: 'MeasurementEnded', references };
  const retired = Array.from(view(processesKey), (process) => process.retired);
  return { type: 'MeasurementBegan', references, clocks: [...world.clocks], retired };
}
