import { hex } from '@tablewalk/base';
import type { CpuPage } from '@tablewalk/contracts';
import { stories } from '@tablewalk/stories';
import type { Story } from '@tablewalk/stories';
import type { Command } from 'commander';
import { print, printJson } from '../output.ts';
import { wrapped } from '../report/wrap.ts';
import { findStory } from '../story-file.ts';

const WIDTH = 120;

export function addStories(program: Command): void {
  const group = program
    .command('stories')
    .summary('what scenarios there are to explore')
    .description('Lists the stories that come with Tablewalk, or shows one.');
  group
    .command('list')
    .description('every story with its variants, a line each')
    .option('--json', 'print the result as JSON')
    .action((flags: { json?: boolean }) => {
      if (flags.json === true) printJson(stories.map(summaryOf));
      else for (const line of listLines(stories)) print(line);
    });
  group
    .command('show')
    .description('one story: what happens, where it was told, its variants and knobs')
    .argument('<id>', 'a story of "tablewalk stories list", or the path of a file that exports one')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  tablewalk stories show shoot6x2')
    .action(async (id: string, flags: { json?: boolean }) => {
      const story = await findStory(id);
      if (flags.json === true) printJson(describe(story));
      else print(storyText(story));
    });
}

const summaryOf = ({ id, title, variants }: Story): unknown => ({
  id,
  title,
  variants: Object.fromEntries(Object.entries(variants).map(([name, { verdict }]) => [name, verdict])),
});

function listLines(all: readonly Story[]): string[] {
  const wide = Math.max(...all.map(({ id }) => id.length));
  return all.map(({ id, title, variants }) => {
    const verdicts = Object.entries(variants).map(([name, { verdict }]) => `${name}: ${verdict}`);
    return `${id.padEnd(wide)}  ${title}  (${verdicts.join(', ')})`;
  });
}

/** All that is plain data in a story. */
function describe(story: Story): unknown {
  const { build: _build, ...plain } = story;
  return plain;
}

function storyText(story: Story): string {
  const { id, title, about, source, variants } = story;
  const lines = [
    ...[`${id}: ${title}`, '', wrapped(about, WIDTH), ''],
    ...[wrapped(`source: ${source}`, WIDTH, 8), 'variants:'],
  ];
  for (const [name, { verdict, what, rule }] of Object.entries(variants)) {
    lines.push(`  ${name.padEnd(20)} ${verdict.padEnd(9)} ${what}`);
    if (rule !== undefined) lines.push(`${' '.repeat(33)}rule: ${rule}`);
  }
  if (story.kind === 'model') {
    const knobs = Object.entries(story.knobs ?? {});
    lines.push(knobs.length === 0 ? 'knobs: none' : 'knobs (--set name=value):');
    for (const [name, preset] of knobs) lines.push(`  ${name.padEnd(20)} default ${preset}`);
  } else {
    lines.push(`machine: ${story.machine} (--set path=value, as in run)`);
    for (const [path, value] of Object.entries(story.set ?? {}))
      lines.push(`  ${path.padEnd(32)} ${JSON.stringify(value)}`);
    for (const [name, set] of Object.entries(story.setBy ?? {}))
      for (const [path, value] of Object.entries(set))
        lines.push(`  ${path.padEnd(32)} ${JSON.stringify(value)}  (${name})`);
    const free = Object.entries(story.freedom ?? {}).filter(([, value]) => value !== undefined);
    if (free.length > 0) lines.push('what the hardware is free to do:');
    for (const [name, value] of free) lines.push(`  ${name.padEnd(20)} ${freedomText(value)}`);
    for (const [variant, freedom] of Object.entries(story.freedomBy ?? {}))
      for (const [name, value] of Object.entries(freedom))
        lines.push(`  ${name.padEnd(20)} ${freedomText(value)}  (${variant})`);
  }
  return lines.join('\n');
}

const freedomText = (value: number | readonly CpuPage[]): string =>
  typeof value === 'number'
    ? `${value}`
    : value.length === 0
      ? 'none'
      : value.map(({ cpu, va }) => `CPU ${cpu} at ${hex(va)}`).join(', ');
