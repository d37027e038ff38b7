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
  const columns = columnsOf(witness, width);
  const lines = headLines(columns);
  const changes = changesBy(witness);
  witness.forEach((step, i) => {
    const mark = step === broken ? '>>' : step === cause ? ' *' : '  ';
    const cells = columns.map(({ actor, wide }) => fit(step.actor === actor ? step.label : '|', wide));
    const line = cut(`${mark} ${String(step.step).padStart(4)}  ${cells.join(' ')} ${changes[i]}`, width);
    lines.push(colour && step === broken ? `\x1b[1;31m${line}\x1b[0m` : line);
  });
  return [...lines, '', ...whyLines(violation, broken, cause).map((line) => wrapped(line, width, 5))].join(
    '\n',
  );
}

interface Column {
  readonly actor: string;
  readonly cpu: number;
  readonly wide: number;
}

/** CPUs in order, what belongs to none last; of one CPU by name, as its interrupt comes to stand beside its task. */
function columnsOf(witness: readonly WitnessStep[], width: number): Column[] {
  const actors = new Map<string, { readonly cpu: number; wanted: number }>();
  for (const { actor, cpu, label } of witness) {
    const column = actors.get(actor) ?? { cpu, wanted: Math.max(COLUMN_MIN, nameOf(actor, cpu).length) };
    column.wanted = Math.max(column.wanted, label.length);
    actors.set(actor, column);
  }
  const place = ({ cpu }: { readonly cpu: number }): number => (cpu < 0 ? Number.MAX_VALUE : cpu);
  const ordered = [...actors].sort(([a, left], [b, right]) =>
    place(left) === place(right) ? a.localeCompare(b, 'en', { numeric: true }) : place(left) - place(right),
  );
  const room = width - MARGIN - FACTS_MIN - ordered.length;
  const widths = shares(
    ordered.map(([, { wanted }]) => wanted),
    room,
  );
  return ordered.map(([actor, { cpu }], i) => ({
    actor,
    cpu,
    wide: Math.max(COLUMN_MIN, widths[i] as number),
  }));
}

/** Everybody gets what it wants, as long as there is room; those who want much share what the others leave. */
function shares(wanted: readonly number[], room: number): number[] {
  const given = wanted.map(() => 0);
  const waiting = wanted.map((_, i) => i).sort((a, b) => (wanted[a] as number) - (wanted[b] as number));
  waiting.forEach((column, i) => {
    given[column] = Math.max(0, Math.min(wanted[column] as number, Math.floor(room / (waiting.length - i))));
    room -= given[column];
  });
  return given;
}

/** `IRQ on CPU 1` stands under `CPU 1` already. */
const nameOf = (actor: string, cpu: number): string => actor.replace(` on CPU ${cpu}`, '');

function headLines(columns: readonly Column[]): string[] {
  const line = (left: string, cell: (column: Column) => string, right: string): string =>
    `${left.padEnd(MARGIN)}${columns.map((column) => fit(cell(column), column.wide)).join(' ')} ${right}`.trimEnd();
  const onCpus = columns.some(({ cpu }) => cpu >= 0);
  return [
    ...(onCpus ? [line('', ({ cpu }) => (cpu < 0 ? '' : `CPU ${cpu}`), '')] : []),
    line('   step', ({ actor, cpu }) => nameOf(actor, cpu), 'what changed'),
    line('', ({ wide }) => '-'.repeat(wide), '------------'),
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

const fit = (text: string, wide: number): string => cut(text, wide).padEnd(wide);
const cut = (text: string, wide: number): string => {
  const whole = text.trimEnd();
  return whole.length <= wide ? whole : `${whole.slice(0, wide - 2)}..`;
};
