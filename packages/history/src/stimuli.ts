import { assertNever } from '@tablewalk/base';
import type { Stimulus } from '@tablewalk/contracts';
import { ByteReader } from './bytes.ts';
import type { ByteWriter } from './bytes.ts';
import { readReferenceColumns, readReferences, writeReferences } from './references.ts';

/**
 * A block of consecutive stimuli: `natural` how many, then one after the other, each by a byte for
 * its kind and
 *
 *     0 process   natural mm, text name
 *     1 batch     natural mm, natural index, the references as columns (references.ts); only read
 *     2 choice    natural taken, natural of
 *     3 measure   byte 0 begin, 1 interval, 2 end; natural references
 *     4 batch     natural mm, natural index, the references as a block (references.ts)
 *
 * The number of the first stimulus stands outside of the block.
 */
const PROCESS = 0;
const BATCH_COLUMNS = 1;
const CHOICE = 2;
const MEASURE = 3;
const BATCH = 4;
const MEASURES = ['begin', 'interval', 'end'] as const;

/** Without the count, which the writer of a block knows last. */
export function writeStimulus(out: ByteWriter, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case 'process':
      out.u8(PROCESS);
      out.natural(stimulus.mm);
      out.text(stimulus.name);
      return;
    case 'batch':
      out.u8(BATCH);
      out.natural(stimulus.mm);
      out.natural(stimulus.index);
      writeReferences(out, stimulus.batch);
      return;
    case 'choice':
      out.u8(CHOICE);
      out.natural(stimulus.taken);
      out.natural(stimulus.of);
      return;
    case 'measure':
      out.u8(MEASURE);
      out.u8(MEASURES.indexOf(stimulus.what));
      out.natural(stimulus.references);
      return;
    default:
      assertNever(stimulus);
  }
}

/** `where` names the block, for reports. */
export function decodeStimuli(bytes: Uint8Array, where: string): Stimulus[] {
  const from = new ByteReader(bytes, where);
  const stimuli = Array.from({ length: from.count(3, 'stimuli') }, () => readStimulus(from));
  if (stimuli.length === 0) from.fail('a block without stimuli');
  from.end();
  return stimuli;
}

function readStimulus(from: ByteReader): Stimulus {
  const kind = from.u8();
  if (kind === PROCESS) return { kind: 'process', mm: from.natural(), name: from.text() };
  if (kind === BATCH)
    return { kind: 'batch', mm: from.natural(), index: from.natural(), batch: readReferences(from) };
  if (kind === BATCH_COLUMNS)
    return { kind: 'batch', mm: from.natural(), index: from.natural(), batch: readReferenceColumns(from) };
  if (kind === CHOICE) return { kind: 'choice', taken: from.natural(), of: from.natural() };
  if (kind === MEASURE) return { kind: 'measure', what: readMeasure(from), references: from.natural() };
  return from.fail(`no stimulus is of kind ${kind}`);
}

function readMeasure(from: ByteReader): (typeof MEASURES)[number] {
  const what = from.u8();
  return MEASURES[what] ?? from.fail(`no measure is of kind ${what}`);
}
