import { HistoryError } from '@tablewalk/base';
import { replay } from '@tablewalk/compose';
import type { BuiltMachine } from '@tablewalk/compose';
import type { AccessBatch } from '@tablewalk/contracts';
import type { Standstill, World } from '@tablewalk/machine';
import type { HistoryFile } from './history-file.ts';

/** A place in a history from which its machine can go on. */
export interface Place {
  readonly standstill: Standstill;
  /** Batches that had retired, and by process the number of the stimulus that its references came with. */
  readonly retired: number;
  readonly batches: ReadonlyMap<number, number>;
}

/**
 * The last place that `fits`, from a checkpoint of the arenas; else the beginning. A checkpoint that is damaged is
 * told, and passed over for the one before it.
 */
export function lastPlace(
  history: HistoryFile,
  built: BuiltMachine,
  fits: (place: { readonly seq: number; readonly retired: number }) => boolean,
  tell: (text: string) => void,
): Place {
  const told = new Set<string>();
  const note = (text: string): void => {
    if (!told.has(text)) tell(text);
    told.add(text);
  };
  const seqs = [...history.history.arenaSeqs];
  while (seqs.length > 0) {
    const middle = lastThat(
      seqs,
      (seq) => tried(history, seq, note, () => fits(history.history.arenasAt(seq))) !== false,
    );
    if (middle < 0) break;
    const seq = seqs[middle] as number;
    const place = tried(history, seq, note, () => placeAt(history, built, seq));
    if (place !== undefined) return place;
    seqs.splice(middle);
  }
  const world = built.fold().initial();
  return { standstill: { world, batches: new Map(), stimuli: 0 }, retired: 0, batches: new Map() };
}

/** Index of the last element that `holds`, where those that do stand before those that do not; -1: none does. */
function lastThat(list: readonly number[], holds: (element: number) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(list[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function placeAt(history: HistoryFile, built: BuiltMachine, seq: number): Place {
  const { stimuli, retired, batches, image } = history.history.arenasAt(seq);
  const world: World = replay(history, built, seq);
  const supplied = new Map<number, AccessBatch>();
  for (const [mm, stimulus] of batches) supplied.set(mm, history.batchOf(stimulus));
  return { standstill: { world, batches: supplied, stimuli, image }, retired, batches };
}

/** Undefined, and told, where it is damaged. */
function tried<T>(
  history: HistoryFile,
  seq: number,
  note: (text: string) => void,
  act: () => T,
): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    note(`${history.path}: the checkpoint after ${seq} facts is passed over: ${error.report.what}`);
    return undefined;
  }
}
