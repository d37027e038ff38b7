import { ConfigError } from '@tablewalk/base';
import type { Command } from 'commander';
import { benches } from '../bench/index.ts';
import { print, printJson } from '../output.ts';

export function addBench(program: Command): void {
  program
    .command('bench')
    .summary('measure the figures of the README on this machine')
    .description(`Measures speed and size. Benches: ${Object.keys(benches).join(', ')}.`)
    .argument('[name]', 'one bench (default: all)')
    .option('--json', 'print the result as JSON')
    .action(async (name: string | undefined, flags: { json?: boolean }) => {
      const chosen = Object.entries(benches).filter(([bench]) => name === undefined || bench === name);
      if (chosen.length === 0)
        throw new ConfigError('BENCH_UNKNOWN', {
          what: `there is no bench "${name}"`,
          fix: `one of: ${Object.keys(benches).join(', ')}`,
        });
      const results: Record<string, unknown> = {};
      for (const [bench, measure] of chosen) {
        const figures = await measure();
        results[bench] = Object.fromEntries(figures.map(({ name: figure, value }) => [figure, value]));
        if (flags.json !== true)
          for (const { name: figure, value, unit, mark } of figures)
            print(
              [figure.padEnd(34), value.toLocaleString('en-US').padStart(14), unit, markText(mark)].join(' '),
            );
      }
      if (flags.json === true) printJson({ node: process.version, ...results });
    });
}

const markText = (mark: string | undefined): string => (mark === undefined ? '' : `(mark: ${mark})`);
