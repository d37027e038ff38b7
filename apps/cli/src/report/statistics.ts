import { readFileSync } from 'node:fs';
import { statisticsKey } from '@tablewalk/machine';
import type { World } from '@tablewalk/machine';
import { viewOf } from '@tablewalk/machine';
import { processesKey } from '@tablewalk/contracts';

/** One figure with its dotted name, as in gem5's stats.txt. */
export interface Statistic {
  readonly name: string;
  readonly value: number;
  readonly description: string;
  readonly unit: string;
}

/** Simulated figures of a world. They depend on nothing but the history. */
export function simulatedStatistics(world: World, counterNames: readonly string[]): Statistic[] {
  const view = viewOf(() => world);
  const { cpus, since, ...totals } = view(statisticsKey);
  const cycles = cyclesSince(world);
  const statistics: Statistic[] = [
    count('sim.facts', world.facts - (since?.facts ?? 0), 'facts in the history'),
    {
      name: 'sim.cycles',
      value: Math.max(0, ...world.clocks) - Math.max(0, ...(since?.clocks ?? [])),
      description: 'virtual time of the last CPU to stop',
      unit: 'Cycle',
    },
  ];
  cpus.forEach((cpu, i) => {
    const prefix = `cpu${i}`;
    statistics.push(
      { name: `${prefix}.cycles`, value: cycles[i] ?? 0, description: 'virtual time', unit: 'Cycle' },
      count(`${prefix}.references`, cpu.references, 'references retired'),
      count(`${prefix}.aborts`, cpu.aborts, 'data and prefetch aborts taken'),
      count(`${prefix}.contextSwitches`, cpu.contextSwitches, 'TTBR0 and CONTEXTIDR written'),
      count(`${prefix}.ipisSent`, cpu.ipisSent, 'interprocessor interrupts sent'),
      count(`${prefix}.ipisTaken`, cpu.ipisTaken, 'interprocessor interrupts taken'),
      count(`${prefix}.tlbInvalidations`, cpu.tlbInvalidations, 'TLB maintenance operations received'),
      count(
        `${prefix}.staleTranslationsUsed`,
        cpu.staleTranslationsUsed,
        'accesses through a translation no longer in the tables',
      ),
    );
    counterNames.forEach((name, counter) => {
      statistics.push(count(`${prefix}.${name}`, cpu.counters[counter] ?? 0, describe(name)));
    });
  });
  view(processesKey).forEach((process, mm) => {
    if (mm > 0)
      statistics.push(
        count(`process${mm}.references`, retiredSince(world, mm), `references of ${process.name}`),
      );
  });
  statistics.push(
    count('memory.pagesAllocated', totals.pagesAllocated, 'pages of 4 KiB handed out'),
    count('memory.pagesFreed', totals.pagesFreed, 'pages of 4 KiB taken back'),
    count('memory.pagesReclaimed', totals.pagesReclaimed, 'user pages unmapped because memory was short'),
    count('processesKilled', Object.keys(totals.killed).length, 'processes ended by the kernel'),
    count('violations', totals.violations, 'violations that checkers reported'),
  );
  return statistics;
}

/** Cycles by CPU, without those of a warm-up. */
export function cyclesSince(world: World): number[] {
  const { since } = viewOf(() => world)(statisticsKey);
  return world.clocks.map((clock, cpu) => clock - (since?.clocks[cpu] ?? 0));
}

/** References of a process, without those of a warm-up. */
export function retiredSince(world: World, mm: number): number {
  const view = viewOf(() => world);
  return (view(processesKey)[mm]?.retired ?? 0) - (view(statisticsKey).since?.retired[mm] ?? 0);
}

/** Linux keeps the peak of this program alone in VmHWM; `maxRSS` is at least that of the process that started it. */
function residentMax(): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Figures of the computer that ran the simulation: kept apart, so that the others can be compared. */
export const hostStatistics = (seconds: number, references: number, version: string): Statistic[] => [
  { name: 'host.seconds', value: seconds, description: 'elapsed time', unit: 'Second' },
  {
    name: 'host.referenceRate',
    value: seconds > 0 ? Math.round(references / seconds) : 0,
    description: `references simulated a second, on Node ${version}`,
    unit: 'Rate',
  },
  {
    name: 'host.residentMax',
    value: residentMax(),
    description: 'most memory that the process held at once',
    unit: 'Byte',
  },
];

const count = (name: string, value: number, description: string): Statistic => ({
  name,
  value,
  description,
  unit: 'Count',
});

const NOUNS: Readonly<Record<string, string>> = {
  I: 'instruction fetches',
  L: 'loads',
  S: 'stores',
  M: 'modifies',
  R: 'reads',
  W: 'writes',
};

function describe(name: string): string {
  const [stem = name, kind] = name.split('::');
  const what = stem.slice(stem.lastIndexOf('.') + 1);
  const where = stem.slice(0, stem.lastIndexOf('.'));
  return kind === undefined ? `${what} of ${where}` : `${what} of ${where} by ${NOUNS[kind] ?? kind}`;
}

/** gem5's stats.txt: name, value, # description (Unit). */
export const statsText = (simulated: readonly Statistic[], host: readonly Statistic[]): string =>
  statsBlock(simulated, ['---------- Host Statistics ----------', ...host.map(statsLine)]);

/** One block of stats.txt; a file may have many, one an interval. */
export const statsBlock = (statistics: readonly Statistic[], more: readonly string[] = []): string =>
  [
    '---------- Begin Simulation Statistics ----------',
    ...statistics.map(statsLine),
    ...more,
    '---------- End Simulation Statistics   ----------',
    '',
  ].join('\n');

const statsLine = ({ name, value, description, unit }: Statistic): string =>
  `${name.padEnd(44)} ${String(value).padStart(16)}  # ${description} (${unit})`;

export const statsJson = (statistics: readonly Statistic[]): Record<string, number> =>
  Object.fromEntries(statistics.map(({ name, value }) => [name, value]));
