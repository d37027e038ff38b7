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

/** A reference to several lines, in one page where pages are translated: the lowest first, each an access. */
export function crossSource(translated: boolean, cache: CacheShape, side: Side): string {
  const { lineShift, setMask, stack, ways, tagVa, indexVa, writeThrough, marksDirty } = cache;
  const lineBytes = 2 ** lineShift;
  const virtual = `(hi << ${32 - lineShift}) | (lo >>> ${lineShift})`;
  const physical = translated ? `base | ((lo & 4095) >>> ${lineShift})` : virtual;
  const newest = stack ? `keys${side}[set * ${ways}]` : `newestKey${side}[set]`;
  const slot = stack ? `set * ${ways}` : `newestSlot${side}[set]`;
  const written = writeThrough
    ? `stored${side}(set, key, line, size);`
    : `dirty${side}[${slot}] = ${marksDirty ? 1 : 0};`;
  return `function one${side}(set, key, line, kind, size) {
  if (${newest} !== key || key === -1) rest${side}(set, key, line, kind, size);
  else if (kind > 1) { ${written} }
}
function lines${side}(kind, lo, hi, base, size) {
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
    ? `if (kind > 1) stored${side}(set, key, line, size);`
    : marksDirty
      ? `if (kind > 1) dirty${side}[slot] = 1;`
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
 * Here for a full set in the order of use over an outer cache; whatever else there is goes to `missed`.
 */
export function missSource(cache: CacheShape, side: Side, outer: CacheShape | undefined): string {
  const { ways, stack, tagVa, marksDirty, writeThrough, wholeLineSkipsRead, lineShift } = cache;
  const name = `function miss${side}(set, key, line, kind, size)`;
  if (!stack || outer === undefined || ways > UNROLLED_WAYS)
    return `${name} { missed${side}(set, key, line, kind, size); }`;
  const up = outer.lineShift - lineShift;
  const at = (array: string, way: number): string => `${array}${side}[first + ${way}]`;
  const columns = ['keys', 'dirty', ...(tagVa ? ['physical'] : [])];
  const shifts = Array.from({ length: ways - 1 }, (_, n) => ways - 1 - n).flatMap((way) =>
    columns.map((column) => `${at(column, way)} = ${at(column, way - 1)};`),
  );
  const skips = wholeLineSkipsRead ? `kind === 2 && size === ${2 ** lineShift}` : 'false';
  return `${name} {
  if (filled${side}[set] !== ${ways} || key === -1${writeThrough ? ' || kind > 1' : ''})
    return missed${side}(set, key, line, kind, size);
  const first = set * ${ways};
  const read = kind === 3 ? 1 : kind;
  counters[misses${side} + read] += 1;
  note(key + read);
  const victimDirty = ${at('dirty', ways - 1)};
  const victim = ${at('physical', ways - 1)};
  ${shifts.join('\n  ')}
  ${at('keys', 0)} = key;
  ${tagVa ? `${at('physical', 0)} = line;` : ''}
  ${at('dirty', 0)} = ${marksDirty ? 'kind >>> 1' : '0'};
  newestKey${side}[set] = key;
  newestSlot${side}[set] = first;
  if (!(${skips})) below((line >>> ${up}) | 0, read === 2 ? 1 : read, 0);
  if (victimDirty === 1) {
    counters[writebacks${side}] += 1;
    below((victim >>> ${up}) | 0, 2, ${up === 0 ? 2 ** lineShift : 0});
  }
}`;
}

/** One access to the outer cache, which is tagged and indexed physically. */
export function outerSource(outer: CacheShape): string {
  const { ways, setMask, stack, marksDirty } = outer;
  const newest = stack ? `keysO[set * ${ways}]` : 'newestKeyO[set]';
  const slot = stack ? `set * ${ways}` : 'newestSlotO[set]';
  return `${restSource(outer, 'O')}
${missSource(outer, 'O', undefined)}
function below(key, kind, size) {
  counters[accessesO + kind] += 1;
  const set = key & ${setMask};
  if (${newest} !== key || key === -1) restO(set, key, key, kind, size);
  else if (kind === 2) dirty${'O'}[${slot}] = ${marksDirty ? 1 : 0};
}`;
}
