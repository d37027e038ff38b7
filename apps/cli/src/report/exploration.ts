import type { Exploration, ExploreOptions, WitnessStep } from '@tablewalk/explore';
import { encodeSchedule } from '@tablewalk/explore';
import type { StoryChoice } from '../staging.ts';
import { witnessText } from './witness.ts';
import type { DrawingOptions } from './witness.ts';

/** A search, with what it was asked for. */
export interface Explored {
  readonly choice: StoryChoice;
  /** The `--set` options as they were given, for the command that reproduces it. */
  readonly setGiven: readonly string[];
  readonly options: ExploreOptions & { readonly seed: number };
  readonly found: Exploration;
  readonly seconds: number;
  readonly history: string | undefined;
}

export interface ExplorationJson {
  readonly story: string;
  readonly variant: string;
  readonly set: Readonly<Record<string, unknown>>;
  readonly strategy: string;
  readonly reductions: readonly string[];
  readonly verdict: Exploration['verdict'];
  /** What the story says of this variant; nothing when its world was changed by `--set`. */
  readonly declared: string | null;
  readonly checker: string | null;
  readonly rule: string | null;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly schedules?: number;
  readonly finalStates: number;
  readonly stuckStates: number;
  readonly bytesPerState?: number;
  readonly witness: readonly WitnessStep[];
  readonly shortest?: boolean;
  readonly schedule?: string;
  readonly reproduce?: string;
  readonly history?: string;
  readonly rules: readonly string[];
  readonly unfinished?: string;
  readonly seconds: number;
  readonly seed: number;
}

export function explorationJson(explored: Explored): ExplorationJson {
  const { choice, options, found, seconds, history } = explored;
  const { violation, outcomes: _tooMany, ...counts } = found;
  return {
    story: choice.story.id,
    variant: choice.variant,
    set: choice.set,
    reductions: reductionsOf(options),
    declared: declaredVerdict(choice) ?? null,
    ...counts,
    checker: violation?.checker ?? null,
    rule: violation?.rule ?? null,
    witness: violation?.witness ?? [],
    ...(violation === undefined
      ? {}
      : {
          shortest: violation.shortest,
          schedule: encodeSchedule(violation.schedule),
          reproduce: reproduceCommand(explored) as string,
        }),
    ...(history === undefined ? {} : { history }),
    seconds: Math.round(seconds * 1000) / 1000,
    seed: options.seed,
  };
}

export function explorationText(explored: Explored, drawing: DrawingOptions = {}): string {
  const { found, options, choice } = explored;
  const { violation } = found;
  const lines: string[] = [];
  if (violation !== undefined) {
    const length = violation.schedule.length;
    const shortest = violation.shortest ? ', and none is shorter' : '; a shorter one may exist';
    lines.push(`VIOLATED  ${violation.checker}: ${violation.rule}`);
    lines.push(`a schedule of ${length} steps shows it${shortest}`, '');
    lines.push(witnessText(violation, drawing), '');
  } else if (found.verdict === 'holds') lines.push(`HOLDS  no schedule violates anything; ${CLAIM}`);
  else
    lines.push(
      `UNFINISHED  no violation so far, which is no verdict; covered: ${found.unfinished ?? 'nothing'}`,
    );
  lines.push(countsText(explored));
  const declared = declaredVerdict(choice);
  if (declared !== undefined && found.verdict !== 'unfinished' && declared !== found.verdict)
    lines.push(`the story says of this variant: ${declared}`);
  if (options.throughViolations === true && found.rules.length > 1)
    lines.push(`rules that are violated somewhere: ${found.rules.join('; ')}`);
  if (violation !== undefined) lines.push(`reproduce: ${reproduceCommand(explored) ?? ''}`);
  if (explored.history !== undefined)
    lines.push(`history: ${explored.history}  (tablewalk replay ${quoted(explored.history)} --at N)`);
  return lines.join('\n');
}

/** Said wherever a story is said to hold. */
const CLAIM = 'steps are sequentially consistent, beside the freedom that the story gives the hardware';

function countsText({ found, seconds, options }: Explored): string {
  const { strategy, states, transitions, depth, schedules, finalStates, stuckStates, bytesPerState } = found;
  const rate = (done: number, what: string): string =>
    seconds > 0 ? `, ${grouped(done / seconds)} ${what}/s` : '';
  const counts = [
    ...(schedules === undefined ? [] : [`${grouped(schedules)} schedules`]),
    ...(states === 0 && schedules !== undefined ? [] : [`${grouped(states)} states`]),
    `${grouped(transitions)} transitions`,
    `depth ${grouped(depth)}`,
    ...(finalStates === 0 ? [] : [`${grouped(finalStates)} final`]),
    ...(stuckStates === 0 ? [] : [`${grouped(stuckStates)} stuck`]),
    ...(bytesPerState === undefined ? [] : [`${bytesPerState.toFixed(1)} bytes a state`]),
  ];
  const speed = schedules === undefined ? rate(states, 'states') : rate(schedules, 'schedules');
  const reduced =
    strategy === 'exhaustive' ? `; reductions: ${reductionsOf(options).join(', ') || 'none'}` : '';
  return `${counts.join(', ')}; ${seconds.toFixed(2)} s${speed}${reduced}; seed ${options.seed}`;
}

export const reductionsOf = ({ merges, partialOrder, symmetry }: ExploreOptions): string[] => [
  ...(merges === false ? [] : ['merges']),
  ...(partialOrder === false ? [] : ['partial order']),
  ...(symmetry === false ? [] : ['symmetry']),
];

/** What the story says of a variant; undefined where its world was changed. */
export const declaredVerdict = ({ story, variant, set }: StoryChoice): string | undefined =>
  Object.keys(set).length > 0 ? undefined : story.variants[variant]?.verdict;

/** The one command that plays a violation again. */
export function reproduceCommand({ choice, setGiven, found }: Explored): string | undefined {
  if (found.violation === undefined) return undefined;
  return [
    `npx tablewalk explore ${choice.story.id} --variant ${choice.variant}`,
    ...setGiven.map((text) => `--set ${quoted(text)}`),
    `--schedule ${encodeSchedule(found.violation.schedule)}`,
  ].join(' ');
}

/** For a shell, where it would not be taken as it is. */
const quoted = (text: string): string =>
  /^[\w./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
