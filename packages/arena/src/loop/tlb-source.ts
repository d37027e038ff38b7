import { EMPTY, HINTS } from '../tlb-structure.ts';
import type { TlbStructure } from '../tlb-structure.ts';

/** What the text of one TLB structure depends on. `n` names it: its place among those of the CPU. */
export interface TlbShape {
  readonly n: number;
  /** The kinds of access that look here first; none: a second level. */
  readonly kinds: readonly number[];
  readonly sets: number;
  readonly ways: number;
  /** Can it hold pages of 4 KiB? */
  readonly holdsSmall: boolean;
  readonly setsByMask: boolean;
  readonly tellsPolicy: boolean;
  readonly ownsInvalidWays: boolean;
  readonly laneWords: number;
}

const SMALL_PAGE = 12;

export function tlbShape(structure: TlbStructure, n: number, kinds: readonly number[]): TlbShape {
  const { geometry, setsByMask, listensToHits, ownsInvalidWays, laneWords } = structure;
  const { sets, ways, pageShifts } = geometry;
  return {
    ...{ n, kinds, sets, ways, setsByMask, ownsInvalidWays, laneWords },
    holdsSmall: pageShifts.length === 0 || pageShifts.includes(SMALL_PAGE),
    tellsPolicy: listensToHits,
  };
}

/** Where a set has more ways, they are searched by a loop. */
const UNROLLED_WAYS = 8;

/** The text of one structure: its columns by name, and `touch`, which is that of `TlbStructure`. */
export function tlbSource({ n, ways, tellsPolicy, laneWords }: TlbShape): string {
  const touch = `const set = (slot / ${ways}) | 0;
  if (newest${n}[set] === slot) return;
  newest${n}[set] = slot;
  policy${n}.touch(lane${n}, set * ${laneWords}, ${ways}, slot - set * ${ways});`;
  return `const tlb${n} = parts.tlbs[${n}].structure;
const { lookups: lookups${n}, misses: misses${n}, evictions: evictions${n} } = parts.tlbs[${n}].at;
const { vpn: vpn${n}, vpnMask: vpnMask${n}, holder: holder${n}, holderMask: holderMask${n}, allowed: allowed${n},
  level: level${n}, pageShift: pageShift${n}, paLo: paLo${n}, paHi: paHi${n}, newest: newest${n}, hints: hints${n},
  present: present${n}, lane: lane${n}, policy: policy${n}, random: random${n}, globals: globals${n} } = tlb${n};
function touch${n}(slot) {
  ${tellsPolicy ? touch : ''}
}`;
}

const hash = (page: string): string => `(${page} ^ (${page} >>> 8)) & ${HINTS - 1}`;

const matches = (n: number, slot: string): string =>
  `vpn${n}[${slot}] === page && ((holder ^ holder${n}[${slot}]) & holderMask${n}[${slot}]) === 0`;

const firstText = ({ n, sets, ways, setsByMask }: TlbShape): string => {
  if (sets === 1) return '0';
  return `(${setsByMask ? `page & ${sets - 1}` : `tlb${n}.setOf(page, holder & 15, ${SMALL_PAGE})`}) * ${ways}`;
};

/** `TlbStructure.find` of `page` for `holder`, while all entries are of 4 KiB: it sets `slot`, or leaves it. */
export function findText(shape: TlbShape, slot: string): string {
  const { n, ways } = shape;
  if (ways <= UNROLLED_WAYS) {
    const way = (number: number): string =>
      `if (${matches(n, `first + ${number}`)}) ${slot} = first + ${number};`;
    return `{
    const first = ${firstText(shape)};
    ${Array.from({ length: ways }, (_, number) => way(number)).join('\n    else ')}
  }`;
  }
  return `{
    const hint = ${hash('page')};
    if (present${n}[hint] !== 0) {
      const likely = hints${n}[hint];
      if (${matches(n, 'likely')}) ${slot} = likely;
      else {
        const first = ${firstText(shape)};
        for (let at = first; at < first + ${ways}; at++)
          if (${matches(n, 'at')}) { ${slot} = hints${n}[hint] = at; break; }
      }
    }
  }`;
}

/**
 * `TlbStructure.place` of a page of 4 KiB, with what it counts and the index of recent pages has to forget: statements
 * that declare `slot`. They use `page`, `holder`, `mask`, `frameLo`, `frameHi`, `may`, `level`.
 */
export function placeText(shape: TlbShape, slot: string): string {
  const { n, kinds, sets, ways, ownsInvalidWays, laneWords } = shape;
  const first = `first${n}`;
  const lane = `lane${n}, ${sets === 1 ? '0' : `${first} / ${ways} * ${laneWords}`}, ${ways}`;
  const victim = `${first} + policy${n}.victim(${lane}, random${n}, globals${n})`;
  const choose = ownsInvalidWays
    ? `const ${slot} = ${victim};`
    : `let ${slot} = ${first};
  if (tlb${n}.valid === ${sets * ways}) ${slot} = ${victim};
  else {
    while (${slot} < ${first} + ${ways} && (holder${n}[${slot}] & ${EMPTY}) === 0) ${slot} += 1;
    if (${slot} === ${first} + ${ways}) ${slot} = ${victim};
  }`;
  return `const ${first} = ${firstText(shape)};
  ${choose}
  if ((holder${n}[${slot}] & ${EMPTY}) === 0) {
    const old = vpn${n}[${slot}];
    tlbCounters[evictions${n}] += 1;
    present${n}[${hash('old')}] -= 1;
    ${kinds.map((kind) => `forget(${kind}, old, ${slot});`).join(' ')}
  } else tlb${n}.valid += 1;
  vpn${n}[${slot}] = page;
  vpnMask${n}[${slot}] = -1;
  holder${n}[${slot}] = holder;
  holderMask${n}[${slot}] = mask;
  present${n}[${hash('page')}] += 1;
  hints${n}[${hash('page')}] = ${slot};
  pageShift${n}[${slot}] = ${SMALL_PAGE};
  paLo${n}[${slot}] = frameLo;
  paHi${n}[${slot}] = frameHi;
  allowed${n}[${slot}] = may;
  level${n}[${slot}] = level;
  policy${n}.fill(${lane}, ${slot} - ${first}, globals${n});
  newest${n}[${sets === 1 ? '0' : `${first} / ${ways}`}] = ${slot};`;
}
