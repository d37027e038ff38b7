import { hex } from '@tablewalk/base';
import { cpusKey } from '@tablewalk/contracts';
import type { PlayedStory } from '@tablewalk/compose';
import { viewOf } from '@tablewalk/machine';
import type { World } from '@tablewalk/machine';

const WIDTH = 120;
/** Said another way, or of no interest where nothing runs references. */
const NOT_SHOWN: ReadonlySet<string> = new Set(['cpus', 'statistics', 'tasks', 'processes']);

export const playedText = ({ id, variant, set }: PlayedStory): string => {
  const given = Object.entries(set).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `story ${id}, variant ${variant}${given.length === 0 ? '' : `, with ${given.join(' ')}`}`;
};

/** A world of a story: where everybody stands, and every slice that is not as it was in the beginning. */
export function storyWorldText(world: World, initial: World): string {
  const lines = viewOf(() => world)(cpusKey).flatMap(({ stack, parked = {} }, cpu) =>
    [stack, ...Object.values(parked)].flat().map(({ program, args, log }) => {
      const called = `${program}(${args.join(', ')})`;
      return `CPU ${cpu}  ${called} has taken ${log.length} steps`;
    }),
  );
  for (const [name, slice] of Object.entries(changedSlices(world, initial)))
    lines.push(cut(`${name.padEnd(12)} ${readable(slice)}`));
  return lines.length === 0 ? 'the world is as it was in the beginning' : lines.join('\n');
}

/** What is large is an address or a frame, and hexadecimal. */
const readable = (slice: unknown): string =>
  JSON.stringify(slice).replaceAll(/\b\d{5,}\b/g, (number) => hex(Number(number), 0));

export const changedSlices = (world: World, initial: World): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(world.slices).filter(
      ([name, slice]) =>
        !NOT_SHOWN.has(name) && JSON.stringify(slice) !== JSON.stringify(initial.slices[name]),
    ),
  );

const cut = (line: string): string => (line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 2)}..`);
