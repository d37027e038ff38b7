import { ConfigError, ExitCode, nearestName } from '@tablewalk/base';
import type { BuiltStory } from '@tablewalk/compose';
import { decodeSchedule, mutate, playSchedule, spaceOf } from '@tablewalk/explore';
import type { Exploration, ExploreOptions, Progress as Searching, StrategyName } from '@tablewalk/explore';
import { variantOf } from '@tablewalk/stories';
import type { Story } from '@tablewalk/stories';
import type { Command } from 'commander';
import { recordTo } from '../history-file.ts';
import { findMachineFile } from '../machine-file.ts';
import { note, print, printJson, Progress } from '../output.ts';
import { explorationJson, explorationText } from '../report/exploration.ts';
import type { Explored } from '../report/exploration.ts';
import { countsOf, judged, mutantsText, mutantText } from '../report/mutants.ts';
import { comparisonJson, comparisonText, contradicts } from '../report/variants.ts';
import { asMachine, overridesFor, stage } from '../staging.ts';
import type { StoryChoice } from '../staging.ts';
import { exploreParallel, refuseWorkers } from '../workers/index.ts';
import { findStory } from '../story-file.ts';
import { collect, naturalNumber } from './options.ts';

interface ExploreFlags {
  readonly variant: string;
  readonly strategy?: string;
  readonly seed: number;
  readonly maxStates?: number;
  readonly maxSchedules?: number;
  readonly maxDepth?: number;
  readonly pctDepth?: number;
  readonly schedule?: string;
  readonly set: readonly string[];
  readonly merges: boolean;
  readonly partialOrder: boolean;
  readonly symmetry: boolean;
  readonly throughViolations?: boolean;
  readonly workers: number;
  readonly mutate?: boolean;
  readonly record?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const STRATEGIES: readonly StrategyName[] = [
  'exhaustive',
  'random',
  'pct',
  'scripted',
  'deepening',
  'reexecution',
];

export function addExplore(program: Command): void {
  program
    .command('explore')
    .summary('search every interleaving of a story for a violation')
    .description(
      'Searches the schedules of a story until one violates a rule, or none is left. A violation comes with its ' +
        'shortest witness and the command that plays it again.',
    )
    .argument('<story>', 'a story of "tablewalk stories list", or the path of a file that exports one')
    .option(
      '--variant <name>',
      'variant of the story; "all" holds every one against what the story says',
      'broken',
    )
    .option('--strategy <name>', `how to search: ${STRATEGIES.join(', ')} (default: exhaustive)`)
    .option('--schedule <text>', 'play one schedule, as a violation printed it')
    .option(
      '--set <name=value>',
      'a knob of the story, or a key of its machine; may be repeated',
      collect,
      [],
    )
    .option('--seed <n>', 'seed of the random strategies', naturalNumber, 1)
    .option('--max-states <n>', 'give up, without a verdict, beyond so many states', naturalNumber)
    .option('--max-schedules <n>', 'or schedules, for strategies that run schedules', naturalNumber)
    .option('--max-depth <n>', 'or steps of one schedule', naturalNumber)
    .option('--pct-depth <n>', 'priority change points of pct', naturalNumber)
    .option('--no-merges', 'keep states apart that a program declares to be alike')
    .option('--no-partial-order', 'try steps that do not touch each other in every order')
    .option('--no-symmetry', 'keep states apart that differ by names only')
    .option('--through-violations', 'search on after a violation, and count everything')
    .option('--workers <n>', 'threads that share an exhaustive search', naturalNumber, 1)
    .option('--mutate', 'explore every single-step mutation of a variant that holds')
    .option('--record <file>', 'write the witness as a history, to replay and rerun')
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress on stderr')
    .addHelpText(
      'after',
      `
Exit codes: 0 it holds, 1 violated (or a variant is not as its story says), 4 budget used up without a verdict.

Examples:
  tablewalk explore shoot6x2 --variant no-wait --record w.mcap
  tablewalk explore shoot6x2 --variant all`,
    )
    .action(async (story: string, flags: ExploreFlags) => {
      process.exitCode = await exploreStory(story, flags);
    });
}

async function exploreStory(id: string, flags: ExploreFlags): Promise<ExitCode> {
  const story = await findStory(id);
  const options = optionsOf(flags);
  const set = overridesFor(story, flags.set);
  if (flags.variant === 'all') {
    refuseForAll(flags);
    const every: Explored[] = [];
    for (const variant of Object.keys(story.variants)) {
      const choice = { story, variant, set };
      every.push(await search(choice, await stage(choice), options, flags));
      if (flags.json !== true) print(comparisonText(every.at(-1) as Explored));
    }
    if (flags.json === true) printJson(comparisonJson(story.id, every));
    return exitCodeOfAll(every);
  }
  if (flags.mutate === true) return mutateStory({ story, variant: heldVariant(story, flags), set }, flags);
  const variant = variantOf(story, flags.variant);
  const built = await stage({ story, variant, set });
  if (flags.json !== true) {
    print(`story ${story.id}, variant ${variant}: ${story.variants[variant]?.what ?? ''}`);
    print(`${options.strategy ?? 'exhaustive'} search, seed ${options.seed}`);
  }
  const explored = await search({ story, variant, set }, built, options, flags);
  if (flags.json === true) printJson(explorationJson(explored));
  else
    print(
      explorationText(explored, { colour: process.stdout.isTTY, width: widthOf(process.stdout.columns) }),
    );
  return EXIT_CODES[explored.found.verdict];
}

/** Leaves out or swaps one step after the other of what holds, and says which mutants nothing catches. */
async function mutateStory(choice: StoryChoice, flags: ExploreFlags): Promise<ExitCode> {
  const built = await stage(choice);
  if (flags.json !== true)
    print(`story ${choice.story.id}, variant ${choice.variant}: every single-step mutation`);
  const verdicts = mutate(built, (mutant) => {
    if (flags.json !== true) print(mutantText(mutant));
  });
  const mutants = judged(choice.story, verdicts);
  const counts = countsOf(mutants);
  if (flags.json === true)
    printJson({ story: choice.story.id, variant: choice.variant, ...counts, list: mutants });
  else print(mutantsText(mutants));
  if (counts.unexplained > 0) return ExitCode.violated;
  return counts.unfinished > 0 ? ExitCode.unfinished : ExitCode.clean;
}

/** The variant to mutate: what is broken already proves nothing of its mutants. */
function heldVariant(story: Story, { variant }: ExploreFlags): string {
  const name = variantOf(story, variant === 'broken' ? 'repaired' : variant);
  if (story.variants[name]?.verdict === 'holds') return name;
  throw new ConfigError('MUTATE_NEEDS_HOLDS', {
    what: `variant ${name} of ${story.id} is violated as it is`,
    why: 'a mutant is caught when it violates what held before',
    fix: `choose one that holds: ${Object.keys(story.variants)
      .filter((each) => story.variants[each]?.verdict === 'holds')
      .join(', ')}`,
    at: '--variant',
  });
}

/** A terminal that is wider is used; one that is narrower would make the columns unreadable. */
const widthOf = (columns: number | undefined): number => Math.max(columns ?? 0, 120);

const EXIT_CODES: Readonly<Record<Exploration['verdict'], ExitCode>> = {
  holds: ExitCode.clean,
  violated: ExitCode.violated,
  unfinished: ExitCode.unfinished,
};

function exitCodeOfAll(every: readonly Explored[]): ExitCode {
  if (every.some(contradicts)) return ExitCode.violated;
  return every.some(({ found }) => found.verdict === 'unfinished') ? ExitCode.unfinished : ExitCode.clean;
}

async function search(
  choice: StoryChoice,
  built: BuiltStory,
  options: Explored['options'],
  flags: ExploreFlags,
): Promise<Explored> {
  const progress = new Progress(flags.quiet === true || flags.json === true);
  const started = performance.now();
  const secondsSoFar = (): number => (performance.now() - started) / 1000;
  const found = await exploreParallel(built, choice, flags.workers, {
    ...options,
    onProgress: (searching) => {
      progress.show(() => progressText(searching, secondsSoFar()));
    },
  });
  const seconds = secondsSoFar();
  progress.clear();
  const history = await recordWitness(built, choice, found, flags);
  return { choice, setGiven: flags.set, options, found, seconds, history };
}

const progressText = ({ phase, states, frontier, depth }: Searching, seconds: number): string => {
  const [all, rate, waiting] = [states, states / Math.max(seconds, 0.001), frontier].map((value) =>
    Math.round(value).toLocaleString('en-US'),
  );
  return `${phase}: ${all} states, ${rate} states/s, frontier ${waiting}, depth ${depth}`;
};

/** Plays the witness once more, into a file. */
async function recordWitness(
  built: BuiltStory,
  { story }: StoryChoice,
  { violation }: Exploration,
  { record, schedule: given }: ExploreFlags,
): Promise<string | undefined> {
  if (record === undefined) return undefined;
  const schedule = violation?.schedule ?? (given === undefined ? undefined : decodeSchedule(given));
  if (schedule === undefined) {
    note(`nothing is recorded in ${record}: there is no witness`);
    return undefined;
  }
  const at = story.kind === 'machine' ? findMachineFile(story.machine) : story.id;
  const recording = await recordTo(record, asMachine(built), at);
  const machine = built.start({ recorder: recording });
  try {
    playSchedule(machine, spaceOf(built, {}), schedule);
  } catch (error) {
    recording.abandon();
    throw error;
  }
  recording.close({ digest: machine.digest(), facts: machine.world.facts });
  machine.close();
  return record;
}

function optionsOf(flags: ExploreFlags): Explored['options'] {
  const strategy = strategyOf(flags);
  refuseWorkers(flags.workers, flags.mutate === true ? 'mutation' : strategy);
  const { maxStates, maxSchedules, maxDepth, pctDepth, throughViolations } = flags;
  const given: ExploreOptions = definedOf({ maxStates, maxSchedules, maxDepth, pctDepth, throughViolations });
  return {
    ...given,
    strategy,
    seed: flags.seed,
    merges: flags.merges,
    partialOrder: flags.partialOrder,
    symmetry: flags.symmetry,
    ...(flags.schedule === undefined ? {} : { schedule: decodeSchedule(flags.schedule) }),
  };
}

/** Without what was not given. */
const definedOf = <T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;

function strategyOf({ strategy, schedule }: ExploreFlags): StrategyName {
  const named = strategy ?? (schedule === undefined ? 'exhaustive' : 'scripted');
  const known = STRATEGIES.find((each) => each === named);
  if (known === undefined) {
    const near = nearestName(named, STRATEGIES);
    throw new ConfigError('STRATEGY_UNKNOWN', {
      what: `there is no strategy "${named}"`,
      why: `the strategies are: ${STRATEGIES.join(', ')}`,
      fix: near === undefined ? 'name one of these' : `did you mean "${near}"?`,
      at: '--strategy',
    });
  }
  if ((known === 'scripted') !== (schedule !== undefined))
    throw new ConfigError('SCHEDULE_MISPLACED', {
      what:
        known === 'scripted' ? 'a scripted search has no schedule' : `a ${known} search takes no schedule`,
      why: 'the strategy "scripted" plays the one schedule that --schedule gives, and no other does',
      fix: known === 'scripted' ? 'add --schedule TEXT' : 'take out --strategy or --schedule',
      at: '--schedule',
    });
  return known;
}

function refuseForAll({ schedule, record }: ExploreFlags): void {
  if (schedule === undefined && record === undefined) return;
  const option = schedule === undefined ? '--record' : '--schedule';
  throw new ConfigError('EXPLORE_ALL_TAKES_NO', {
    what: `${option} does not go with --variant all`,
    why: 'a schedule, and a history, is of one variant',
    fix: 'name one variant',
    at: option,
  });
}
