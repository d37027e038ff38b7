import { CacheKind } from '../cache-counters.ts';

/** The caches of a text by letter: instruction, data or unified, and what lies below them. */
export type Side = 'I' | 'D' | 'O';

/** What the text of one cache's functions depends on. */
export interface CacheShape {
  readonly lineShift: number;
  readonly setMask: number;
  readonly ways: number;
  readonly indexVa: boolean;
  readonly tagVa: boolean;
  /** Ways lie in the order of their last use. */
  readonly stack: boolean;
  /** Must the replacement policy be told of hits? */
  readonly tellsPolicy: boolean;
  readonly laneWords: number;
  readonly marksDirty: boolean;
  readonly writeThrough: boolean;
  /** A store of a whole line does not read it from below. */
  readonly wholeLineSkipsRead: boolean;
}

/** Where a set has more ways, they are searched by a loop. */
const UNROLLED_WAYS = 8;

/**
 * Kinds in the text are those of accesses (`AccessKind`): a modify is 3, the read of a descriptor 4. Bit 1 says that
 * it writes.
 */
export const WALK = 4;
const WRITES = 2;

/** One access to one line, counted already. */
export function oneSource(cache: CacheShape, side: Side): string {
  const { stack, ways, writeThrough, marksDirty } = cache;
  const newest = stack ? `keys${side}[set * ${ways}]` : `newestKey${side}[set]`;
  const slot = stack ? `set * ${ways}` : `newestSlot${side}[set]`;
  const written = writeThrough
    ? `stored${side}(set, key, line, size);`
    : `dirty${side}[${slot}] = ${marksDirty ? 1 : 0};`;
  return `function one${side}(set, key, line, kind, size) {
  if (${newest} !== key || key === -1) rest${side}(set, key, line, kind, size);
  else if (kind & ${WRITES}) { ${written} }
}`;
}

/** A reference to several lines, in one page where pages are translated: the lowest first, each an access. */
export function crossSource(translated: boolean, cache: CacheShape, side: Side): string {
  const { lineShift, setMask, tagVa, indexVa } = cache;
  const lineBytes = 2 ** lineShift;
  const virtual = `(hi << ${32 - lineShift}) | (lo >>> ${lineShift})`;
  const physical = translated ? `base | ((lo & 4095) >>> ${lineShift})` : virtual;
  return `function lines${side}(kind, lo, hi, base, size) {
  const line = ${physical};
  const key = ${tagVa ? virtual : 'line'};
  const place = ${indexVa ? `lo >>> ${lineShift}` : 'line'};
  const start = lo & ${lineBytes - 1};
  const end = start + size;
  let n = 0;
  for (let at = 0; at < end; at += ${lineBytes}, n++) {
    const whole = at >= start && at + ${lineBytes} <= end;
    one${side}((place + n) & ${setMask}, (key + n) | 0, (line + n) | 0, kind, whole ? ${lineBytes} : 0);
  }
  extra[kind] += n - 1;
}
function cross${side}(kind, lo, hi, base, size) {
  if (kind !== 2) lines${side}(kind === 0 ? 0 : 1, lo, hi, base, size);
  if (kind > 1) lines${side}(2, lo, hi, base, size);
}`;
}

/** What is not in the newest way of its set: a hit in another way, or a miss. */
export function restSource(cache: CacheShape, side: Side): string {
  const { ways, stack, writeThrough, marksDirty } = cache;
  const at = (n: string): string => `keys${side}[${n}]`;
  const wayNumbers = Array.from({ length: ways }, (_, way) => way);
  const search =
    ways > UNROLLED_WAYS
      ? `let slot = first; const end = first + ${ways};
  while (slot < end && ${at('slot')} !== key) slot += 1;
  if (slot === end) return miss${side}(set, key, line, kind, size);`
      : `let slot;
  ${wayNumbers.map((way) => `if (${at(`first + ${way}`)} === key) slot = first + ${way};`).join(' else ')}
  else return miss${side}(set, key, line, kind, size);`;
  const written = writeThrough
    ? `if (kind & ${WRITES}) stored${side}(set, key, line, size);`
    : marksDirty
      ? `if (kind & ${WRITES}) dirty${side}[slot] = 1;`
      : '';
  return `function rest${side}(set, key, line, kind, size) {
  if (key === -1) return miss${side}(set, key, line, kind, size);
  const first = set * ${ways};
  ${search}
  ${stack ? raiseText(cache, side) : touchText(cache, side)}
  ${written}
}`;
}

const touchText = ({ tellsPolicy, laneWords, ways }: CacheShape, side: Side): string => `${
  tellsPolicy ? `policy${side}.touch(lane${side}, set * ${laneWords}, ${ways}, slot - first);` : ''
}
  newestKey${side}[set] = key;
  newestSlot${side}[set] = slot;`;

const raiseText = ({ tagVa }: CacheShape, side: Side): string => `const mark = dirty${side}[slot];
  ${tagVa ? `const place = physical${side}[slot];` : ''}
  for (; slot > first; slot--) {
    keys${side}[slot] = keys${side}[slot - 1];
    dirty${side}[slot] = dirty${side}[slot - 1];
    ${tagVa ? `physical${side}[slot] = physical${side}[slot - 1];` : ''}
  }
  keys${side}[first] = key;
  dirty${side}[first] = mark;
  ${tagVa ? `physical${side}[first] = place;` : ''}
  newestKey${side}[set] = key;
  newestSlot${side}[set] = first;`;

/**
 * A line in none of its set's ways, as `CacheLevel.miss` has it: replace, read from below, write the victim down.
 * Here for a full set; whatever else there is goes to `missed`.
 */
export function missSource(cache: CacheShape, side: Side, outer: CacheShape | undefined): string {
  const { ways, marksDirty, writeThrough, wholeLineSkipsRead, lineShift } = cache;
  const up = outer === undefined ? 0 : outer.lineShift - lineShift;
  const below = (line: string, kind: string): string =>
    outer === undefined
      ? `counters[memory${kind === String(WRITES) ? 'Writes' : 'Reads'}] += 1`
      : `below((${line} >>> ${up}) | 0, ${kind}, ${up === 0 && kind === String(WRITES) ? 2 ** lineShift : 0})`;
  const skips = wholeLineSkipsRead ? `if (kind !== ${WRITES} || size !== ${2 ** lineShift}) ` : '';
  const direct = writeThrough ? ` || (kind & ${WRITES}) !== 0` : '';
  return `function miss${side}(set, key, line, kind, size) {
  if (filled${side}[set] !== ${ways} || key === -1${direct}) return missed${side}(set, key, line, kind, size);
  const counted = kind === 3 ? ${CacheKind.read} : kind === ${WALK} ? ${CacheKind.walk} : kind;
  counters[misses${side} + counted] += 1;
  note(key + counted);
  const first = set * ${ways};
  ${cache.stack ? pushText(cache, side) : victimText(cache, side)}
  dirty${side}[slot] = ${marksDirty ? '(kind >>> 1) & 1' : '0'};
  newestKey${side}[set] = key;
  newestSlot${side}[set] = slot;
  ${skips}${below('line', `kind & ${WRITES} ? ${CacheKind.read} : kind`)};
  if (victimDirty === 1) {
    counters[writebacks${side}] += 1;
    ${below('victim', String(WRITES))};
  }
}`;
}

/** The line becomes the top of its set's stack, in place of the bottom. */
function pushText({ ways, tagVa }: CacheShape, side: Side): string {
  const columns = ['keys', 'dirty', ...(tagVa ? ['physical'] : [])];
  const move = (to: string, from: string): string =>
    columns.map((column) => `${column}${side}[${to}] = ${column}${side}[${from}];`).join(' ');
  const shifts =
    ways > UNROLLED_WAYS
      ? [`for (let at = first + ${ways - 1}; at > first; at--) { ${move('at', 'at - 1')} }`]
      : Array.from({ length: ways - 1 }, (_, n) =>
          move(`first + ${ways - 1 - n}`, `first + ${ways - 2 - n}`),
        );
  return `const slot = first;
  const victimDirty = dirty${side}[first + ${ways - 1}];
  const victim = physical${side}[first + ${ways - 1}];
  ${shifts.join('\n  ')}
  keys${side}[slot] = key;
  ${tagVa ? `physical${side}[slot] = line;` : ''}`;
}

const victimText = ({ ways, laneWords, tagVa }: CacheShape, side: Side): string => {
  const lane = `lane${side}, set * ${laneWords}, ${ways}`;
  return `const slot = first + policy${side}.victim(${lane}, random${side}, globals${side});
  const victimDirty = dirty${side}[slot];
  const victim = physical${side}[slot];
  keys${side}[slot] = key;
  ${tagVa ? `physical${side}[slot] = line;` : ''}
  policy${side}.fill(${lane}, slot - first, globals${side});`;
};

/** One access to the outer cache, which is tagged and indexed physically. Of kinds it sees 0, 1, 2 and WALK. */
export function outerSource(outer: CacheShape): string {
  return `${oneSource(outer, 'O')}
${restSource(outer, 'O')}
${missSource(outer, 'O', undefined)}
function below(key, kind, size) {
  counters[accessesO + (kind === ${WALK} ? ${CacheKind.walk} : kind)] += 1;
  oneO(key & ${outer.setMask}, key, key, kind, size);
}`;
}
