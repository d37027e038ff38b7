import { explore } from '@tablewalk/explore';
import type { Exploration, ExploreOptions } from '@tablewalk/explore';
import { stories, storyOf } from '@tablewalk/stories';
import { stage } from '../staging.ts';
import { round } from './figure.ts';
import type { Figure } from './figure.ts';

/** 195,981 states and 1,243,705 transitions, as SPIN and TLC count them. */
const MODEL = 'shoot6x2';
const PASSES = 4;
const WITHOUT: ExploreOptions = { merges: false, partialOrder: false, symmetry: false };

/** Speed and size of the exhaustive search, by the ordinary path, and how soon each story has its verdicts. */
export async function exploreBench(): Promise<readonly Figure[]> {
  return [
    ...searchFigures('', await fastest(WITHOUT)),
    ...searchFigures('Reduced', await fastest({})),
    ...(await storyFigures()),
  ];
}

interface Timed {
  readonly found: Exploration;
  readonly seconds: number;
}

/** The fastest of some passes: the first warms the compiler up, and others may want the core at the same time. */
async function fastest(options: ExploreOptions): Promise<Timed> {
  let best = await timed(MODEL, 'repaired', options);
  for (let pass = 1; pass < PASSES; pass++) {
    const next = await timed(MODEL, 'repaired', options);
    if (next.seconds < best.seconds) best = next;
  }
  return best;
}

async function timed(id: string, variant: string, options: ExploreOptions): Promise<Timed> {
  const built = await stage({ story: storyOf(id), variant, set: {} });
  const start = performance.now();
  const found = explore(built, options);
  return { found, seconds: (performance.now() - start) / 1000 };
}

function searchFigures(how: string, { found, seconds }: Timed): Figure[] {
  const { states, transitions, bytesPerState } = found;
  const whole = how === '';
  const searched = whole ? 'without reductions' : 'with reductions';
  return [
    { name: `states${how}`, value: states, unit: `states of ${MODEL}, ${searched}` },
    { name: `transitions${how}`, value: transitions, unit: 'transitions' },
    {
      name: `seconds${how}`,
      value: round(seconds, 2),
      unit: `s to the verdict, fastest of ${PASSES} passes`,
    },
    {
      name: `statesPerSecond${how}`,
      value: round(states / seconds),
      unit: 'distinct states/s on one core',
      ...(whole ? { mark: '>= 300,000' } : {}),
    },
    {
      name: `bytesPerState${how}`,
      value: round(bytesPerState ?? 0, 1),
      unit: 'bytes a state',
      ...(whole ? { mark: '<= 64' } : {}),
    },
  ];
}

/** Every variant of every story, until each has its verdict. */
async function storyFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { id, variants } of stories) {
    let slowest = 0;
    for (const variant of Object.keys(variants))
      slowest = Math.max(slowest, (await timed(id, variant, {})).seconds);
    figures.push({
      name: `seconds.${id}`,
      value: round(slowest, 3),
      unit: 's to the verdict, slowest variant',
      mark: '< 2',
    });
  }
  return figures;
}
