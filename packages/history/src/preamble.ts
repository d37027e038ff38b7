import { HistoryError } from '@tablewalk/base';
import { Opcode } from '@mcap/core';
import { damaged, sameBytes } from './bytes.ts';
import { firstRecord } from './chunk.ts';
import {
  checkedHeader,
  HEADER_METADATA,
  MAGIC,
  PREAMBLE_BYTES_MAX,
  PREAMBLE_METADATA,
  preambleMetadata,
  PROFILE,
  readJsonMetadata,
  records,
} from './format.ts';
import type { HistoryHeader } from './format.ts';
import { frameAt, hasFooter, isWhole, readExactly } from './source.ts';
import type { HistorySource } from './source.ts';

/** What stands before the first chunk, and where that begins. */
export interface Preamble {
  readonly header: HistoryHeader;
  readonly end: number;
}

/**
 * Reads records up to the one that names the checksum of all before it; believes nothing until that
 * agrees, except the profile, to tell another program's file from a damaged one of ours.
 */
export function readPreamble(source: HistorySource): Preamble {
  checkMagic(source);
  let header: { readonly value: unknown; readonly at: string } | undefined;
  for (let offset = MAGIC.length; ;) {
    const frame = frameAt(source, offset);
    if (frame === undefined) throw headerLost(source, offset);
    const at = `byte ${offset}`;
    const end = offset + frame.length;
    if (end > PREAMBLE_BYTES_MAX)
      throw damaged(`the header does not end within ${PREAMBLE_BYTES_MAX} bytes`, at);
    if (!isWhole(source, frame)) throw headerLost(source, offset);
    if (offset === MAGIC.length) checkProfile(readExactly(source, offset, frame.length), at);
    else if (frame.opcode === Opcode.METADATA) {
      const record = firstRecord(readExactly(source, offset, frame.length), at);
      if (record.type !== 'Metadata') throw damaged(`a ${record.type} record lies where metadata should`, at);
      if (record.name === HEADER_METADATA) header = { value: readJsonMetadata(record, offset), at };
      else if (record.name === PREAMBLE_METADATA) {
        checkPreamble(source, offset, end);
        return { header: checkedHeader(header?.value, header?.at ?? at), end };
      }
    } else if (frame.opcode !== Opcode.SCHEMA && frame.opcode !== Opcode.CHANNEL) {
      throw damaged(`a record of kind ${frame.opcode} lies within the header`, at);
    }
    offset = end;
  }
}

function checkMagic(source: HistorySource): void {
  const length = Math.min(source.size, MAGIC.length);
  const bytes = readExactly(source, 0, length);
  if (length > 0 && bytes.every((byte, i) => byte === MAGIC[i])) return;
  throw new HistoryError('HISTORY_NOT_MCAP', {
    what: length === 0 ? 'the file is empty' : 'the file does not begin as an MCAP file does',
    why: 'a history is an MCAP file',
    fix: 'name a file that `tablewalk run --record` wrote',
    at: 'byte 0',
  });
}

function checkProfile(bytes: Uint8Array, at: string): void {
  const record = firstRecord(bytes, at);
  if (record.type !== 'Header')
    throw damaged(`an MCAP file begins with a Header record, not ${record.type}`, at);
  if (record.profile !== PROFILE)
    throw new HistoryError('HISTORY_FOREIGN', {
      what: `the MCAP file has the profile ${JSON.stringify(record.profile)}, a history has "${PROFILE}"`,
      why: `it was written by ${JSON.stringify(record.library)}, or its first bytes are damaged`,
      fix: 'name a file that `tablewalk run --record` wrote',
      at,
    });
}

/** The bytes before `offset` must have the checksum, and the record itself must be as we write it. */
function checkPreamble(source: HistorySource, offset: number, end: number): void {
  const expected = records((out) => out.writeMetadata(preambleMetadata(readExactly(source, 0, offset))));
  if (!sameBytes(readExactly(source, offset, end - offset), expected))
    throw damaged('the header does not match its checksum', `bytes 0 to ${end}`);
}

/** A file that has its end has not lost its header: a length in it is wrong. */
function headerLost(source: HistorySource, offset: number): HistoryError {
  if (hasFooter(source))
    return damaged('the records of the header do not end where the chunks begin', `byte ${offset}`);
  return new HistoryError('HISTORY_NO_HEADER', {
    what: `the file ends within its header: it has ${source.size} bytes`,
    why: 'without config, seed and fact schemas nothing that follows has a meaning',
    fix: 'record the run again; the header is written when a run begins',
    at: `byte ${offset}`,
  });
}
