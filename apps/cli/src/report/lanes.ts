import type { WitnessStep } from '@tablewalk/explore';

/** Two for the mark, the number of the step, a gap. */
export const MARGIN = 9;
const COLUMN_MIN = 8;
const LANE_MIN = 4;
/** Room for a label in the last column, where labels run over. */
const LABEL_MIN = 32;

/** An actor's column: where it begins, and how wide it is. */
export interface Lane {
  readonly actor: string;
  readonly cpu: number;
  readonly name: string;
  readonly from: number;
  readonly wide: number;
}

/**
 * CPUs in order, what belongs to none last; of one CPU its hardware last, by name. Where not all labels fit
 * beside each other the columns are as wide as the actors' names, and a label runs on over those that stand still.
 */
export function lanesOf(witness: readonly WitnessStep[], room: number): Lane[] {
  const actors = new Map<string, Standing & { label: number }>();
  for (const { actor, cpu, label } of witness) {
    const known = actors.get(actor);
    actors.set(actor, {
      ...standingOf(actor, cpu),
      label: Math.max(known?.label ?? COLUMN_MIN, label.length),
    });
  }
  const place = ({ cpu }: { readonly cpu: number }): number => (cpu < 0 ? Number.MAX_VALUE : cpu);
  const ordered = [...actors].sort(
    ([a, left], [b, right]) =>
      place(left) - place(right) ||
      Number(left.hardware) - Number(right.hardware) ||
      a.localeCompare(b, 'en', { numeric: true }),
  );
  const whole = ordered.map(([, { label, name }]) => Math.max(label, name.length));
  const beside = whole.reduce((sum, wide) => sum + wide + 1, 0) <= room;
  const widest = Math.max(LANE_MIN, Math.floor((room - LABEL_MIN) / Math.max(1, ordered.length)) - 1);
  let from = 0;
  return ordered.map(([actor, { cpu, name }], i) => {
    const wide = beside ? (whole[i] as number) : Math.min(widest, Math.max(COLUMN_MIN, name.length));
    const lane = { actor, cpu, name: cut(name, wide), from, wide };
    from += wide + 1;
    return lane;
  });
}

interface Standing {
  readonly cpu: number;
  readonly name: string;
  /** Nothing that the CPU executes. */
  readonly hardware: boolean;
}

/** `IRQ on CPU 1` stands under `CPU 1`, as the walker, the TLB and the cache of CPU 1 do. */
function standingOf(actor: string, cpu: number): Standing {
  const [, name, number] = /^(.+) (?:of|on) CPU (\d+)$/.exec(actor) ?? [];
  const hardware = cpu < 0;
  return name === undefined ? { cpu, name: actor, hardware } : { cpu: Number(number), name, hardware };
}

/** The label in the actor's lane, and a line through time in those that it leaves free. */
export function laneText({ actor, label }: WitnessStep, lanes: readonly Lane[], room: number): string {
  const own = lanes.find((lane) => lane.actor === actor) as Lane;
  const said = cut(label, Math.max(LANE_MIN, room - own.from));
  let text = '';
  for (const { from } of lanes) {
    if (from < text.length + (from === 0 ? 0 : 1)) continue;
    text = text.padEnd(from) + (from === own.from ? said : '|');
  }
  return text;
}

export function headLines(lanes: readonly Lane[], wide: number): string[] {
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

export const cut = (text: string, wide: number): string => {
  const whole = text.trimEnd();
  return whole.length <= wide ? whole : `${whole.slice(0, wide - 2)}..`;
};
