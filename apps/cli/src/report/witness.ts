import type { Violation, WitnessStep } from '@tablewalk/explore';
import type { KernelFactOf, RecordedFact } from '@tablewalk/contracts';
import { cut, headLines, lanesOf, laneText, MARGIN } from './lanes.ts';
import { saidText } from './run-report.ts';
import { wrapped } from './wrap.ts';

export interface DrawingOptions {
  /** Columns of the terminal that it must fit. */
  readonly width?: number;
  readonly colour?: boolean;
}

const WIDTH = 120;
const FACTS_MIN = 36;

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
  const changes = changesBy(witness);
  const lanes = lanesOf(witness, width - MARGIN - FACTS_MIN);
  // A label with nothing beside it has the whole line.
  const drawn = witness.map((step, i) =>
    laneText(step, lanes, width - MARGIN - (changes[i] === '' ? 0 : FACTS_MIN)),
  );
  const wide = Math.max(
    0,
    ...drawn.map((text, i) => (changes[i] === '' ? 0 : text.length)),
    ...lanes.map((lane) => lane.from + lane.wide),
  );
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

/**
 * What each step changed: its facts, as far as its label does not say them already. A variable of a story is
 * written as `x=[1,0]`, and left out where a step writes what an earlier one wrote already.
 */
function changesBy(witness: readonly WitnessStep[]): string[] {
  const known = new Map<string, string>();
  return witness.map(({ facts, label, cpu }) =>
    facts
      .flatMap(({ fact }) => {
        const variable = /^(.+) (?:written|swapped)$/.exec(fact.type)?.[1];
        if (variable === undefined || !('value' in fact)) return unsaid(fact, label, cpu);
        const value = JSON.stringify(fact.value);
        if (known.get(variable) === value) return [];
        known.set(variable, value);
        return [`${variable}=${value}`];
      })
      .join('; '),
  );
}

/** A fact, or of one that the label was made from those fields that are not in it. */
function unsaid(fact: RecordedFact['fact'], label: string, cpu: number): string[] {
  const { type, ...fields } = fact;
  const words = type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  if (label !== words && !label.startsWith(`${words}:`)) return [saidText(fact)];
  const names = label.slice(words.length).split(/[: ]+/);
  const rest = Object.entries(fields).filter(
    ([name, value]) =>
      !(typeof value === 'string' && names.includes(value)) && !(name === 'cpu' && value === cpu),
  );
  return rest.length === 0 ? [] : [saidText({ type: '', ...Object.fromEntries(rest) }).trimStart()];
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
