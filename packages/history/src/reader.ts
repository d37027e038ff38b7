import { HistoryError } from '@tablewalk/base';
import type { Fact, RecordedFact, Stimulus } from '@tablewalk/contracts';
import { decodeArenas } from './arenas.ts';
import type { ArenaCheckpoint } from './arenas.ts';
import { damaged } from './bytes.ts';
import { decodeChunk } from './chunk.ts';
import type { ChunkPlace } from './chunk.ts';
import type { Codec } from './codec.ts';
import { recordedAt } from './columns.ts';
import type { FactBlock } from './columns.ts';
import { decodeFacts } from './columns-read.ts';
import { FRAME_BYTES, parseJson } from './format.ts';
import type { HistoryClosing, HistoryHeader } from './format.ts';
import { crcOf, indexedLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import { readPreamble } from './preamble.ts';
import { scannedLayout } from './scan.ts';
import { isRecord } from './schemas.ts';
import type { FactSchemaRecords } from './schemas.ts';
import { hasFooter, readExactly, viewOf } from './source.ts';
import type { HistorySource } from './source.ts';
import { decodeStimuli } from './stimuli.ts';
import { liftFacts, planLifts } from './upcast.ts';
import type { Upcaster, Upcasters } from './upcast.ts';

export interface HistoryOptions {
  /** This program's schemas. Facts are lifted to them, and a history that cannot be is refused. */
  readonly schemas?: FactSchemaRecords;
  readonly upcasters?: Upcasters;
}

/** The end of the file is missing. `lostFrom` is the seq of the first fact that may be lost. */
export interface HistoryDamage {
  readonly kind: 'truncated';
  readonly lostFrom: number;
  /** Bytes at the end that belong to nothing whole, and were not read. */
  readonly bytes: number;
}

export interface Checkpoint {
  /** How many facts are folded into the world: the next one has this seq. */
  readonly seq: number;
  readonly world: unknown;
}

/** A history for reading. Everything that it answers was held against a checksum. */
export interface History {
  readonly header: HistoryHeader;
  readonly factCount: number;
  readonly stimulusCount: number;
  readonly closing: HistoryClosing | undefined;
  readonly damage: HistoryDamage | undefined;
  readonly blockCount: number;
  /** The block that has fact `seq`. */
  blockOf(seq: number): number;
  readBlock(index: number): FactBlock;
  /** Facts from `from` to before `to`. Bulk readers take blocks. */
  facts(from?: number, to?: number): Generator<RecordedFact>;
  /** Stimuli from number `from` on. */
  stimuli(from?: number): Generator<Stimulus>;
  checkpointAtOrBefore(seq: number): Checkpoint | undefined;
  /** Where there are checkpoints of the arenas, by facts, in ascending order; each with a world of its own. */
  readonly arenaSeqs: readonly number[];
  /** The one with so many facts. */
  arenasAt(seq: number): ArenaCheckpoint;
  /** Where in the file they lie. */
  arenaBytes(seq: number): { readonly from: number; readonly to: number };
  /** Reads and decodes everything, and holds the whole file against its checksums. */
  verify(): void;
}

/** Throws a HistoryError unless the file, or what is left of it, can be read. */
export function openHistory(source: HistorySource, codec: Codec, options: HistoryOptions = {}): History {
  const preamble = readPreamble(source);
  const { header } = preamble;
  if (header.codec !== codec.name && header.codec !== '')
    throw new HistoryError('HISTORY_CODEC', {
      what: `the history is compressed with "${header.codec}"`,
      why: codec.name === '' ? 'no codec was loaded' : `the codec that was loaded is "${codec.name}"`,
      fix: `open it with a codec of the name "${header.codec}"`,
      at: `bytes 0 to ${preamble.end}`,
    });
  const at = `bytes 0 to ${preamble.end}`;
  const plan = planLifts(header.facts, options.schemas ?? {}, options.upcasters ?? {}, at);
  const complete = hasFooter(source);
  const layout = complete ? indexedLayout(source, preamble) : scannedLayout(source, preamble, codec);
  return new Reader(source, codec, header, plan, layout, complete);
}

class Reader implements History {
  readonly factCount: number;
  readonly stimulusCount: number;
  readonly closing: HistoryClosing | undefined;
  readonly damage: HistoryDamage | undefined;
  readonly blockCount: number;

  constructor(
    private readonly source: HistorySource,
    private readonly codec: Codec,
    readonly header: HistoryHeader,
    private readonly plan: ReadonlyMap<string, readonly Upcaster[]>,
    private readonly layout: Layout,
    complete: boolean,
  ) {
    const { facts, stimuli } = layout.chunks;
    this.closing = layout.closing;
    this.blockCount = facts.length;
    const [lastFacts, lastStimuli] = [facts.at(-1), stimuli.at(-1)];
    if (layout.closing !== undefined) {
      this.factCount = layout.closing.facts;
      this.stimulusCount = layout.closing.stimuli;
    } else {
      this.factCount = lastFacts === undefined ? 0 : lastFacts.first + this.decodeBlock(lastFacts).count;
      this.stimulusCount =
        lastStimuli === undefined ? 0 : lastStimuli.first + this.decodeStimuli(lastStimuli).length;
    }
    if (disagrees(this.factCount, lastFacts) || disagrees(this.stimulusCount, lastStimuli))
      throw damaged('the closing record counts other facts or stimuli than there are', `byte ${layout.end}`);
    this.damage = complete
      ? undefined
      : { kind: 'truncated', lostFrom: this.factCount, bytes: source.size - layout.end };
  }

  blockOf(seq: number): number {
    return Math.max(0, placeIndex(this.layout.chunks.facts, seq));
  }

  readBlock(index: number): FactBlock {
    const { facts } = this.layout.chunks;
    const place = facts[index];
    if (place === undefined) throw new RangeError(`there is no block ${index} of ${facts.length}`);
    const block = this.decodeBlock(place);
    this.checkCount(place, block.count, facts[index + 1]?.first ?? this.factCount);
    return block;
  }

  *facts(from = 0, to = this.factCount): Generator<RecordedFact> {
    const end = Math.min(to, this.factCount);
    if (from >= end) return;
    for (let index = this.blockOf(Math.max(0, from)); index < this.blockCount; index++) {
      const block = this.readBlock(index);
      if (block.first >= end) return;
      const last = Math.min(block.count, end - block.first);
      for (let i = Math.max(0, from - block.first); i < last; i++) yield recordedAt(block, i);
    }
  }

  *stimuli(from = 0): Generator<Stimulus> {
    const { stimuli } = this.layout.chunks;
    if (from >= this.stimulusCount) return;
    for (let index = placeIndex(stimuli, Math.max(0, from)); index < stimuli.length; index++) {
      const place = stimuli[index] as ChunkPlace;
      const block = this.decodeStimuli(place);
      this.checkCount(place, block.length, stimuli[index + 1]?.first ?? this.stimulusCount);
      for (let i = Math.max(0, from - place.first); i < block.length; i++) yield block[i] as Stimulus;
    }
  }

  checkpointAtOrBefore(seq: number): Checkpoint | undefined {
    const { checkpoints } = this.layout.chunks;
    const place = checkpoints[placeIndex(checkpoints, seq)];
    return place === undefined ? undefined : this.decodeCheckpoint(place);
  }

  get arenaSeqs(): readonly number[] {
    return this.layout.chunks.arenas.map(({ first }) => first);
  }

  arenasAt(seq: number): ArenaCheckpoint {
    return this.decodeArenas(this.arenaPlace(seq));
  }

  arenaBytes(seq: number): { from: number; to: number } {
    const { offset, length } = this.arenaPlace(seq);
    return { from: offset, to: offset + length };
  }

  private arenaPlace(seq: number): ChunkPlace {
    const place = this.layout.chunks.arenas.find(({ first }) => first === seq);
    if (place === undefined) throw new RangeError(`there are no arenas of ${seq} facts`);
    return place;
  }

  verify(): void {
    const { source, layout } = this;
    for (let index = 0; index < this.blockCount; index++) this.readBlock(index);
    for (const _ of this.stimuli());
    for (const place of layout.chunks.checkpoints) this.decodeCheckpoint(place);
    for (const place of layout.chunks.arenas) this.decodeArenas(place);
    if (layout.dataEnd === undefined) return;
    const named = viewOf(readExactly(source, layout.dataEnd + FRAME_BYTES, 4)).getUint32(0, true);
    if (crcOf(source, 0, layout.dataEnd) !== named)
      throw damaged('the data do not match their CRC', `bytes 0 to ${layout.dataEnd}`);
  }

  private decodeBlock(place: ChunkPlace): FactBlock {
    const block = decodeFacts(this.data(place), place.first, this.header.facts, where(place));
    liftFacts(block.facts as Fact[], this.plan);
    return block;
  }

  private decodeStimuli(place: ChunkPlace): Stimulus[] {
    return decodeStimuli(this.data(place), where(place));
  }

  private decodeCheckpoint(place: ChunkPlace): Checkpoint {
    const value = parseJson(new TextDecoder().decode(this.data(place)), where(place));
    if (
      !isRecord(value) ||
      value['seq'] !== place.first ||
      place.first > this.factCount ||
      !('world' in value)
    )
      throw damaged(`a checkpoint is not one of ${place.first} facts`, where(place));
    return { seq: place.first, world: value['world'] };
  }

  private decodeArenas(place: ChunkPlace): ArenaCheckpoint {
    const arenas = decodeArenas(this.data(place), place.first, where(place));
    const known = (stimulus: number): boolean => stimulus < arenas.stimuli;
    if (place.first > this.factCount || ![...arenas.batches.values()].every(known))
      throw damaged(`arenas are not those of ${place.first} facts`, where(place));
    return arenas;
  }

  private data(place: ChunkPlace): Uint8Array {
    const bytes = readExactly(this.source, place.offset, place.length + place.indexLength);
    return decodeChunk(bytes, place, this.codec);
  }

  private checkCount(place: ChunkPlace, count: number, next: number): void {
    if (place.first + count !== next)
      throw damaged(
        `${count} ${place.channel} from ${place.first} are followed by number ${next}`,
        where(place),
      );
  }
}

/** The last block must have one at least; without a block there are none. */
const disagrees = (count: number, last: ChunkPlace | undefined): boolean =>
  last === undefined ? count !== 0 : count <= last.first;

const where = (place: ChunkPlace): string => `byte ${place.offset}, ${place.channel} from ${place.first}`;

/** Index of the last place that begins at or before `number`; -1 when there is none. */
function placeIndex(places: readonly ChunkPlace[], number: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] as ChunkPlace).first <= number) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
