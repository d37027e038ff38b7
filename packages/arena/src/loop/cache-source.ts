import { CacheKind, MIX } from '../cache-counters.ts';

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

/** The key of the way of `set` that was used last. */
export const newestText = ({ stack, ways }: CacheShape, side: Side): string =>
  stack ? `keys${side}[set * ${ways}]` : `newestKey${side}[set]`;

/** `mixOutcome`, as statements. */
export const mixText = (word: string, event: string): string =>
  `{ const mixed = Math.imul(${word} ^ (${event}), ${MIX}); ${word} = mixed ^ (mixed >>> 15); }`;

/** One access to one line, counted already. */
function oneSource(cache: CacheShape, side: Side): string {
  const { stack, ways, writeThrough, marksDirty } = cache;
  const slot = stack ? `set * ${ways}` : `newestSlot${side}[set]`;
  const written = writeThrough
    ? `stored${side}(set, key, line, size);`
    : `dirty${side}[${slot}] = ${marksDirty ? 1 : 0};`;
  return `function one${side}(set, key, line, kind, size) {
  if (${newestText(cache, side)} !== key || key === -1) rest${side}(set, key, line, kind, size);
  else if (kind & ${WRITES}) { ${written} }
}`;
}

/** A reference to several lines, in one page where pages are translated: the lowest first, each an access. */
function crossSource(translated: boolean, cache: CacheShape, side: Side): string {
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

/** The functions of a first-level cache: `one`, `cross` and `rest`. */
export const cacheSource = (
  translated: boolean,
  cache: CacheShape,
  side: Side,
  outer: CacheShape | undefined,
): string => `${oneSource(cache, side)}
${crossSource(translated, cache, side)}
${restSource(cache, side, outer)}`;

/** One access to the outer cache, which is tagged and indexed physically. Of kinds it sees 0, 1, 2 and WALK. */
export const outerSource = (outer: CacheShape): string => `${oneSource(outer, 'O')}
${restSource(outer, 'O', undefined)}`;

/** What is not in the newest way of its set: a hit in another way, or a miss. */
function restSource(cache: CacheShape, side: Side, outer: CacheShape | undefined): string {
  const { ways, stack, writeThrough, marksDirty } = cache;
  const wayNumbers = Array.from({ length: ways }, (_, way) => way);
  const search =
    ways > UNROLLED_WAYS
      ? `while (slot < first + ${ways} && keys${side}[slot] !== key) slot += 1;`
      : `${wayNumbers.map((way) => `if (keys${side}[first + ${way}] === key) slot = first + ${way};`).join(' else ')}
  else slot = first + ${ways};`;
  const written = writeThrough
    ? `if (kind & ${WRITES}) stored${side}(set, key, line, size);`
    : marksDirty
      ? `if (kind & ${WRITES}) dirty${side}[slot] = 1;`
      : '';
  return `function rest${side}(set, key, line, kind, size) {
  if (key === -1) return missed${side}(set, key, line, kind, size);
  const first = set * ${ways};
  let slot = first;
  ${search}
  if (slot === first + ${ways}) return miss${side}(set, key, line, kind, size);
  ${stack ? raiseText(cache, side) : touchText(cache, side)}
  ${written}
}
${missSource(cache, side, outer)}`;
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
function missSource(cache: CacheShape, side: Side, outer: CacheShape | undefined): string {
  const { ways, marksDirty, writeThrough, wholeLineSkipsRead, lineShift } = cache;
  const counted =
    side === 'I' ? '0' : `(kind === 3 ? ${CacheKind.read} : kind === ${WALK} ? ${CacheKind.walk} : kind)`;
  const skips = wholeLineSkipsRead ? `if (kind !== ${WRITES} || size !== ${2 ** lineShift}) ` : '';
  const direct = writeThrough ? ` || (kind & ${WRITES}) !== 0` : '';
  return `function miss${side}(set, key, line, kind, size) {
  if (filled${side}[set] !== ${ways}${direct}) return missed${side}(set, key, line, kind, size);
  const first = set * ${ways};
  const counted = ${counted};
  counters[misses${side} + counted] += 1;
  ${mixText('outcomes[cpuNumber]', 'key + counted')}
  ${cache.stack ? pushText(cache, side) : victimText(cache, side)}
  dirty${side}[slot] = ${marksDirty ? '(kind >>> 1) & 1' : '0'};
  newestKey${side}[set] = key;
  newestSlot${side}[set] = slot;
  ${skips}${readText(cache, outer)}
  if (victimDirty === 1) {
    counters[writebacks${side}] += 1;
    ${writeText(cache, outer)}
  }
}`;
}

/** A line is read from below. */
function readText({ lineShift }: CacheShape, outer: CacheShape | undefined): string {
  if (outer === undefined) return 'counters[memoryReads] += 1;';
  return `{
    const wide = (line >>> ${outer.lineShift - lineShift}) | 0;
    const set = wide & ${outer.setMask};
    const below = kind & ${WRITES} ? ${CacheKind.read} : kind;
    counters[accessesO + (below === ${WALK} ? ${CacheKind.walk} : below)] += 1;
    if (${newestText(outer, 'O')} !== wide || wide === -1) restO(set, wide, wide, below, 0);
  }`;
}

/** A dirty victim is written down. */
function writeText({ lineShift }: CacheShape, outer: CacheShape | undefined): string {
  if (outer === undefined) return 'counters[memoryWrites] += 1;';
  const up = outer.lineShift - lineShift;
  return `const wide = (victim >>> ${up}) | 0;
    counters[accessesO + ${CacheKind.write}] += 1;
    oneO(wide & ${outer.setMask}, wide, wide, ${WRITES}, ${up === 0 ? 2 ** lineShift : 0});`;
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
