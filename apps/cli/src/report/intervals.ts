import type { Measure } from '@tablewalk/contracts';
import type { World } from '@tablewalk/machine';
import { closeSync, openSync, writeSync } from 'node:fs';
import { simulatedStatistics, statsBlock, statsJson } from './statistics.ts';
import type { Statistic } from './statistics.ts';

/** What was counted in one interval. */
export interface Interval {
  /** Counts from 0. */
  readonly interval: number;
  readonly statistics: readonly Statistic[];
}

/** Where intervals go as they end. */
export interface IntervalSink {
  write(interval: Interval): void;
  close(): void;
}

/** Statistics by interval: of each figure its increase. The sum of all intervals is the figure of the run. */
export class Intervals {
  private before = new Map<string, number>();
  private ended = 0;

  constructor(
    private readonly counterNames: readonly string[],
    private readonly sink: IntervalSink,
  ) {}

  /** Told at each place of the measured run. */
  at({ what }: Measure, world: World): void {
    if (what === 'begin') this.before = valuesOf(simulatedStatistics(world, this.counterNames));
    else if (what === 'interval') this.end(world);
  }

  /** The run is over: what came after the last whole interval is one more, if that is anything. */
  close(world: World): void {
    const now = simulatedStatistics(world, this.counterNames);
    if (now.some(({ name, value }) => value !== (this.before.get(name) ?? 0))) this.end(world);
    this.sink.close();
  }

  private end(world: World): void {
    const now = simulatedStatistics(world, this.counterNames);
    const statistics = now.map((statistic) => ({
      ...statistic,
      value: statistic.value - (this.before.get(statistic.name) ?? 0),
    }));
    this.before = valuesOf(now);
    this.sink.write({ interval: this.ended++, statistics });
  }
}

const valuesOf = (statistics: readonly Statistic[]): Map<string, number> =>
  new Map(statistics.map(({ name, value }) => [name, value]));

/** A CSV table, a JSON list or, for any other name, stats.txt blocks; `-` is stdout. */
export function intervalFile(path: string): IntervalSink {
  const file = path === '-' ? 1 : openSync(path, 'w');
  const put = (text: string): void => {
    writeSync(file, text);
  };
  const close = (): void => {
    if (path !== '-') closeSync(file);
  };
  if (path.endsWith('.csv')) return { write: (interval) => put(csvRows(interval)), close };
  if (!path.endsWith('.json')) return { write: ({ statistics }) => put(statsBlock(statistics)), close };
  let separator = '[';
  return {
    write(interval) {
      put(`${separator}\n${JSON.stringify(intervalJson(interval))}`);
      separator = ',';
    },
    close() {
      put(separator === '[' ? '[]\n' : '\n]\n');
      close();
    },
  };
}

export const intervalJson = ({ interval, statistics }: Interval): Readonly<Record<string, number>> => ({
  interval,
  ...statsJson(statistics),
});

/** The heading comes before the first row; every interval has the same figures. */
function csvRows({ interval, statistics }: Interval): string {
  const row = `${[interval, ...statistics.map(({ value }) => value)].join(',')}\n`;
  return interval > 0 ? row : `${['interval', ...statistics.map(({ name }) => name)].join(',')}\n${row}`;
}
