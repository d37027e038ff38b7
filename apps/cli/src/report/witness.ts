import type { Violation, WitnessStep } from '@tablewalk/explore';
import type { KernelFactOf, RecordedFact } from '@tablewalk/contracts';
import { saidText } from './run-report.ts';
import { wrapped } from './wrap.ts';

export interface DrawingOptions {
  /** Columns of the terminal that it must fit. */
  readonly width?: number;
  readonly colour?: boolean;
}

const WIDTH = 120;
const FACTS_MIN = 36;
const COLUMN_MIN = 8;
const LANE_MIN = 4;
/** Room for a label in the last column, where labels run over. */
const LABEL_MIN = 32;
/** Two for the mark, the number of the step, a gap. */
const MARGIN = 9;

/**
 * A witness as actors x time: a column for each actor, by CPU, a line for each step, beside it what the step
 * changed. `>>` marks the step that broke the rule, `*` the one that caused it; under it stands why.
 */
export function witnessText(
  violation: Violation,
  { width = WIDTH, colour = false }: DrawingOptions = {},
): string {
  const { witness } = violation;
  const broken = witness.find((step) => step.violation !== undefined);
  const cause = broken === undefined ? undefined : causeOf(witness, saidBy(broken));
  const lanes = lanesOf(witness, width - MARGIN - FACTS_MIN);
  const drawn = witness.map((step) => laneText(step, lanes, width - MARGIN - FACTS_MIN));
  const wide = Math.max(
    0,
    ...drawn.map((text) => text.length),
    ...lanes.map((lane) => lane.from + lane.wide),
  );
  const changes = changesBy(witness);
  const lines = headLines(lanes, wide);
  witness.forEach((step, i) => {
    const mark = step === broken ? '>>' : step === cause ? ' *' : '  ';
    const did = (drawn[i] as string).padEnd(wide);
    const line = cut(`${mark} ${String(step.step).padStart(4)}  ${did} ${changes[i]}`, width);
    lines.push(colour && step === broken ? `\x1b[1;31m${line}\x1b[0m` : line);
  });
  return [...lines, '', ...whyLines(violation, broken, cause).map((line) => wrapped(line, width, 5))].join(
    '\n',
  );
}

/** An actor's column: where it begins, and how wide it is. */
interface Lane {
  readonly actor: string;
  readonly cpu: number;
  readonly name: string;
  readonly from: number;
  readonly wide: number;
}

/**
 * CPUs in order, what belongs to none last; of one CPU by name. Where not all labels fit beside each other the
 * columns are as wide as the actors' names, and a label runs on over those that stand still.
 */
function lanesOf(witness: readonly WitnessStep[], room: number): Lane[] {
  const actors = new Map<string, { readonly cpu: number; label: number }>();
  for (const { actor, cpu, label } of witness) {
    const known = actors.get(actor);
    actors.set(actor, { cpu, label: Math.max(known?.label ?? COLUMN_MIN, label.length) });
  }
  const place = ({ cpu }: { readonly cpu: number }): number => (cpu < 0 ? Number.MAX_VALUE : cpu);
  const ordered = [...actors].sort(([a, left], [b, right]) =>
    place(left) === place(right) ? a.localeCompare(b, 'en', { numeric: true }) : place(left) - place(right),
  );
  const names = ordered.map(([actor, { cpu }]) => nameOf(actor, cpu));
  const whole = ordered.map(([, { label }], i) => Math.max(label, (names[i] as string).length));
  const beside = whole.reduce((sum, wide) => sum + wide + 1, 0) <= room;
  const widest = Math.max(LANE_MIN, Math.floor((room - LABEL_MIN) / Math.max(1, ordered.length)) - 1);
  let from = 0;
  return ordered.map(([actor, { cpu }], i) => {
    const name = names[i] as string;
    const wide = beside ? (whole[i] as number) : Math.min(widest, Math.max(COLUMN_MIN, name.length));
    const lane = { actor, cpu, name: cut(name, wide), from, wide };
    from += wide + 1;
    return lane;
  });
}

/** `IRQ on CPU 1` stands under `CPU 1` already. */
const nameOf = (actor: string, cpu: number): string => actor.replace(` on CPU ${cpu}`, '');

/** The label in the actor's lane, and a line through time in those that it leaves free. */
function laneText({ actor, label }: WitnessStep, lanes: readonly Lane[], room: number): string {
  const own = lanes.find((lane) => lane.actor === actor) as Lane;
  const said = cut(label, Math.max(LANE_MIN, room - own.from));
  let text = '';
  for (const { from } of lanes) {
    if (from < text.length + (from === 0 ? 0 : 1)) continue;
    text = text.padEnd(from) + (from === own.from ? said : '|');
  }
  return text;
}

function headLines(lanes: readonly Lane[], wide: number): string[] {
  const line = (left: string, cell: (lane: Lane) => string, right: string): string =>
    `${left.padEnd(MARGIN)}${lanes
      .map((lane) => cell(lane).padEnd(lane.wide))
      .join(' ')
      .padEnd(wide)} ${right}`.trimEnd();
  const onCpus = lanes.some(({ cpu }) => cpu >= 0);
  return [
    ...(onCpus ? [line('', ({ cpu, wide: most }) => (cpu < 0 ? '' : cut(`CPU ${cpu}`, most)), '')] : []),
    line('   step', ({ name }) => name, 'what changed'),
    line('', (lane) => '-'.repeat(lane.wide), '------------'),
  ];
}

/**
 * What each step changed: its facts. A variable of a story is written as `x=[1,0]`, and left out where a step
 * writes what an earlier one wrote already.
 */
function changesBy(witness: readonly WitnessStep[]): string[] {
  const known = new Map<string, string>();
  return witness.map(({ facts }) =>
    facts
      .flatMap(({ fact }) => {
        const variable = /^(.+) (?:written|swapped)$/.exec(fact.type)?.[1];
        if (variable === undefined || !('value' in fact)) return [saidText(fact)];
        const value = JSON.stringify(fact.value);
        if (known.get(variable) === value) return [];
        known.set(variable, value);
        return [`${variable}=${value}`];
      })
      .join('; '),
  );
}

type Said = KernelFactOf<'PropertyViolated'>;
const saidBy = ({ violation }: WitnessStep): Said => violation?.fact as Said;

const causeOf = (witness: readonly WitnessStep[], { culprit }: Said): WitnessStep | undefined =>
  witness.find(({ facts }) => facts.some(({ seq }) => seq === culprit));

/** Which rule, broken by which step, because of which earlier one. */
function whyLines(
  { checker, rule, witness }: Violation,
  broken?: WitnessStep,
  cause?: WitnessStep,
): string[] {
  if (broken === undefined) return [`why: ${rule}: from the beginning, nothing can happen`];
  if (checker === 'kernel' && STUCK.has(rule))
    return [`why: ${rule}: after ${stepText(broken)} nothing can happen any more, and not everybody is done`];
  const whose = checker === 'never' ? 'what the story says must never be' : `the rule of ${checker}`;
  const lines = [`why: ${stepText(broken)} breaks ${whose}: ${rule}`];
  if (checker === 'never' || checker === 'kernel') return lines;
  const facts = witness.flatMap((step) => step.facts);
  const { culprit, evidence } = saidBy(broken);
  if (cause !== undefined && cause !== broken)
    lines.push(`     its cause is ${stepText(cause)}: ${factOf(facts, culprit)}`);
  if (culprit < (facts[0]?.seq ?? 0)) lines.push(`     its cause lies in the scene: fact ${culprit}`);
  if (evidence !== culprit) lines.push(`     it shows in ${factOf(facts, evidence)}`);
  return lines;
}
const STUCK: ReadonlySet<string> = new Set(['deadlock', 'lost wake-up']);

const stepText = ({ step, actor, cpu, label }: WitnessStep): string => {
  const where = cpu < 0 || actor.includes(`CPU ${cpu}`) ? '' : ` on CPU ${cpu}`;
  return `step ${step} (${actor}${where}: ${label})`;
};

function factOf(facts: readonly RecordedFact[], seq: number): string {
  const recorded = facts.find((fact) => fact.seq === seq);
  return recorded === undefined ? `fact ${seq}` : `fact ${seq}, ${saidText(recorded.fact)}`;
}

const cut = (text: string, wide: number): string => {
  const whole = text.trimEnd();
  return whole.length <= wide ? whole : `${whole.slice(0, wide - 2)}..`;
};
