import {
  AccessKind,
  PIECE_KIND_MASK,
  PieceFlag,
  PIECES_PER_ACCESS_MAX,
  translatedBatch,
} from '@tablewalk/contracts';
import type {
  AccessBatch,
  AccessEffects,
  CacheEngine,
  PieceEffects,
  TlbEngine,
  TranslatedBatch,
  TranslationContext,
} from '@tablewalk/contracts';

/** An access of 65,535 bytes touches 17 pages. */
const PIECES_MAX = 17 * PIECES_PER_ACCESS_MAX;

/**
 * Runs one access as the two stages do in turns, and notes what each counter grew by: of the TLB stage as a
 * whole, of the cache stage for each piece. What an accounting counts as one reference stays together.
 */
export function inspectAccess(
  tlb: TlbEngine,
  cache: CacheEngine,
  cpu: number,
  context: TranslationContext,
  batch: AccessBatch,
  access: number,
): AccessEffects {
  const out = translatedBatch(PIECES_MAX);
  const before = tlb.counters(cpu).slice();
  tlb.trap.kind = 0;
  tlb.translate(cpu, context, batch, access, access + 1, out);
  const trap = { ...tlb.trap };
  const effects = { trap, tlb: growthOf(before, tlb.counters(cpu), 0), pieces: [] as PieceEffects[] };
  const first = tlb.counterNames.length;
  for (let from = 0; from < out.count;) {
    const to = togetherUntil(out, from);
    const counters = cache.counters(cpu).slice();
    cache.run(cpu, partOf(out, from, to));
    const growth = growthOf(counters, cache.counters(cpu), first);
    for (let i = from; i < to; i++) effects.pieces.push(pieceOf(out, i, i === from ? growth : []));
    from = to;
  }
  return effects;
}

/** A walk's read stands alone; the pieces of one reference stay together when they follow one another by a flag. */
function togetherUntil(out: TranslatedBatch, from: number): number {
  let to = from + 1;
  if (kindOf(out, from) === AccessKind.walk) return to;
  while (to < out.count && ((out.kind[to] as number) & (PieceFlag.continues | PieceFlag.modified)) !== 0)
    to += 1;
  return to;
}

const kindOf = (out: TranslatedBatch, i: number): number => (out.kind[i] as number) & PIECE_KIND_MASK;

function partOf(out: TranslatedBatch, from: number, to: number): TranslatedBatch {
  const part = translatedBatch(to - from);
  part.count = to - from;
  for (const column of ['kind', 'vaLo', 'vaHi', 'paLo', 'paHi', 'size'] as const)
    part[column].set(out[column].subarray(from, to));
  return part;
}

function pieceOf(out: TranslatedBatch, i: number, counters: readonly number[]): PieceEffects {
  return {
    kind: kindOf(out, i),
    va: (out.vaHi[i] as number) * 2 ** 32 + (out.vaLo[i] as number),
    pa: (out.paHi[i] as number) * 2 ** 32 + (out.paLo[i] as number),
    size: out.size[i] as number,
    counters,
  };
}

/** Pairs of a counter's number and its increase. */
function growthOf(before: Float64Array, after: Float64Array, first: number): number[] {
  const pairs: number[] = [];
  for (let i = 0; i < after.length; i++) {
    const growth = (after[i] as number) - (before[i] as number);
    if (growth !== 0) pairs.push(first + i, growth);
  }
  return pairs;
}
