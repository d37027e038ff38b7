import { EMPTY, HINTS } from '../tlb-structure.ts';
import type { TlbStructure } from '../tlb-structure.ts';

/** What the text of one TLB structure depends on. `n` names it: its place among those of the CPU. */
export interface TlbShape {
  readonly n: number;
  /** The kinds of access that look here first; none: a second level. */
  readonly kinds: readonly number[];
  readonly sets: number;
  readonly ways: number;
  /** Largest first; empty: any size. */
  readonly pageShifts: readonly number[];
  readonly setsByMask: boolean;
  readonly tellsPolicy: boolean;
  readonly ownsInvalidWays: boolean;
  readonly laneWords: number;
}

export const tlbShape = (structure: TlbStructure, n: number, kinds: readonly number[]): TlbShape => ({
  n,
  kinds,
  ...structure.geometry,
  setsByMask: structure.setsByMask,
  tellsPolicy: structure.listensToHits,
  ownsInvalidWays: structure.ownsInvalidWays,
  laneWords: structure.laneWords,
});

const SMALL_PAGE = 12;
/** Where more ways could hold a page, they are searched by a loop. */
const UNROLLED_WAYS = 8;

/**
 * The text of one structure: its columns by name, then `find`, `touch` and `place`, which are those of `TlbStructure`
 * with the geometry as numbers. `place` counts what it drives out, and has the index of recent pages forget it.
 */
export function tlbSource(shape: TlbShape): string {
  const { n } = shape;
  return `const tlb${n} = parts.tlbs[${n}].structure;
const { lookups: lookups${n}, misses: misses${n}, evictions: evictions${n} } = parts.tlbs[${n}].at;
const { vpn: vpn${n}, vpnMask: vpnMask${n}, holder: holder${n}, holderMask: holderMask${n}, allowed: allowed${n},
  level: level${n}, pageShift: pageShift${n}, paLo: paLo${n}, paHi: paHi${n}, newest: newest${n}, hints: hints${n},
  present: present${n}, lane: lane${n}, policy: policy${n}, random: random${n}, globals: globals${n} } = tlb${n};
${findText(shape)}
${touchText(shape)}
${placeText(shape)}`;
}

const hash = (vpn: string): string => `(${vpn} ^ (${vpn} >>> 8)) & ${HINTS - 1}`;

const matches = (n: number, slot: string): string =>
  `(((vpn ^ vpn${n}[${slot}]) & vpnMask${n}[${slot}]) | ((holder ^ holder${n}[${slot}]) & holderMask${n}[${slot}])) === 0`;

/** A set where pages of `2 ** shift` bytes lie; `shift` is text. */
const setText = ({ n, sets, setsByMask }: TlbShape, shift: string): string => {
  if (sets === 1) return '0';
  return setsByMask ? `(vpn >>> (${shift} - 12)) & ${sets - 1}` : `tlb${n}.setOf(vpn, holder & 15, ${shift})`;
};

function findText(shape: TlbShape): string {
  const { n, sets, ways, pageShifts } = shape;
  const shifts = sets === 1 ? [SMALL_PAGE] : pageShifts;
  const probes = shifts.map((shift) => {
    const search =
      ways > UNROLLED_WAYS
        ? `for (let slot = first; slot < first + ${ways}; slot++)
      if (${matches(n, 'slot')}) { hints${n}[hint] = slot; return slot; }`
        : Array.from(
            { length: ways },
            (_, way) =>
              `if (${matches(n, `first + ${way}`)}) { hints${n}[hint] = first + ${way}; return first + ${way}; }`,
          ).join('\n    ');
    const onlyIf = sets > 1 && shift > SMALL_PAGE ? `if (tlb${n}.large > 0) ` : '';
    return `${onlyIf}{
    const first = (${setText(shape, String(shift))}) * ${ways};
    ${search}
  }`;
  });
  return `function find${n}(vpn, holder) {
  const hint = ${hash('vpn')};
  if (present${n}[hint] === 0 && tlb${n}.large === 0) return -1;
  const likely = hints${n}[hint];
  if (${matches(n, 'likely')}) return likely;
  ${probes.join('\n  ')}
  return -1;
}`;
}

const touchText = ({ n, ways, tellsPolicy, laneWords }: TlbShape): string =>
  tellsPolicy
    ? `function touch${n}(slot) {
  const set = (slot / ${ways}) | 0;
  if (newest${n}[set] === slot) return;
  newest${n}[set] = slot;
  policy${n}.touch(lane${n}, set * ${laneWords}, ${ways}, slot - set * ${ways});
}`
    : `function touch${n}() {}`;

/** log2 of the size at which a page of `2 ** mapped` bytes is held; -1: it is smaller than any. */
const heldShift = ({ pageShifts }: TlbShape, mapped: string): string =>
  pageShifts.length === 0
    ? mapped
    : `(${pageShifts.map((shift) => `${mapped} >= ${shift} ? ${shift} : `).join('')}-1)`;

function placeText(shape: TlbShape): string {
  const { n, kinds, ways, ownsInvalidWays, laneWords, sets } = shape;
  const victim = `first + policy${n}.victim(lane${n}, set * ${laneWords}, ${ways}, random${n}, globals${n})`;
  const choose = ownsInvalidWays
    ? `const slot = ${victim};`
    : `let slot = first;
  if (tlb${n}.valid === ${sets * ways}) slot += ${ways};
  else while (slot < first + ${ways} && (holder${n}[slot] & ${EMPTY}) === 0) slot += 1;
  if (slot === first + ${ways}) slot = ${victim};`;
  return `function place${n}(vpn, holder, mask, mapped, lo, hi, may, level) {
  const shift = ${heldShift(shape, 'mapped')};
  const set = ${setText(shape, 'shift')};
  const first = set * ${ways};
  ${choose}
  const pages = shift >= 44 ? 0 : -1 << (shift - 12);
  if ((holder${n}[slot] & ${EMPTY}) === 0) {
    const page = vpn${n}[slot];
    tlbCounters[evictions${n}] += 1;
    if (vpnMask${n}[slot] === -1) {
      present${n}[${hash('page')}] -= 1;
      ${kinds.map((kind) => `forgotPage(${kind}, page, slot);`).join(' ')}
    } else {
      tlb${n}.large -= 1;
      ${kinds.map((kind) => `forgotKind(${kind});`).join(' ')}
    }
  } else tlb${n}.valid += 1;
  vpn${n}[slot] = vpn & pages;
  vpnMask${n}[slot] = pages;
  holder${n}[slot] = holder;
  holderMask${n}[slot] = mask;
  if (pages === -1) present${n}[${hash('vpn')}] += 1;
  else tlb${n}.large += 1;
  pageShift${n}[slot] = shift;
  const inside = (vpn & pages & ~(mapped >= 44 ? 0 : -1 << (mapped - 12))) >>> 0;
  paLo${n}[slot] = lo + (inside << 12);
  paHi${n}[slot] = hi + (inside >>> 20);
  allowed${n}[slot] = may;
  level${n}[slot] = level;
  policy${n}.fill(lane${n}, set * ${laneWords}, ${ways}, slot - first, globals${n});
  newest${n}[set] = slot;
  return slot;
}`;
}
