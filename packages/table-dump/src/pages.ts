import { assert, hex } from '@tablewalk/base';
import type { WordReader } from '@tablewalk/contracts';
import { TableDumpError } from './table-dump-error.ts';

/** Bytes of a record: the page's physical address as 64 bits, little-endian, and the page. */
export const RECORD_BYTES = 8 + 4096;
const PAGE_BYTES = 4096;
/** Physical addresses of ARMv7 with LPAE have 40 bits. */
const PA_BYTES = 2 ** 40;

/** The physical pages of a dump. Those that it lacks are known to be absent: nothing is read as 0 by default. */
export interface TablePages extends WordReader {
  readonly pageCount: number;
  /** Physical byte addresses, in the order of the file. */
  readonly addresses: readonly number[];
  /** Is the page that holds this physical byte address in the dump? */
  has(pa: number): boolean;
  /**
   * The little-endian word at a physical byte address, a multiple of 4; unsigned.
   *
   * @throws TableDumpError TABLES_PAGE_ABSENT
   */
  read32(pa: number): number;
}

/**
 * Reads the records of `PFX-SNAP.ptpages.bin`, unpacked. `at` is the file's name for messages.
 *
 * @throws TableDumpError for the first record that is damaged: cut short, not at a page boundary, beyond 40 bits,
 * or there twice; and for a file without any.
 */
export function readPages(bytes: Uint8Array, at: string): TablePages {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = new Map<number, number>();
  for (let offset = 0; offset < bytes.length; offset += RECORD_BYTES) {
    const left = bytes.length - offset;
    if (left < RECORD_BYTES) refuseCut(offset, left, at);
    const pa = view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;
    refuseAddress(pa, offset, places.get(pa), at);
    places.set(pa, offset + 8);
  }
  if (places.size === 0)
    throw new TableDumpError('TABLES_EMPTY', {
      what: 'the dump holds no page',
      why: 'a walk reads at least one',
      fix: 'make the dump again',
      at,
    });
  return {
    pageCount: places.size,
    addresses: [...places.keys()],
    has: (pa) => places.has(pa - (pa % PAGE_BYTES)),
    read32(pa) {
      assert(pa % 4 === 0, `a word is read at ${hex(pa)}`);
      const inPage = pa % PAGE_BYTES;
      const place = places.get(pa - inPage);
      if (place === undefined) refuseAbsent(pa - inPage, at);
      return view.getUint32(place + inPage, true);
    },
  };
}

/** The records of `PFX-SNAP.ptpages.bin` for these pages of 4096 bytes, by physical byte address. */
export function pageRecords(pages: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const bytes = new Uint8Array(pages.size * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [pa, page] of pages) {
    assert(pa % PAGE_BYTES === 0 && pa < PA_BYTES && page.length === PAGE_BYTES, `no page: ${hex(pa)}`);
    view.setUint32(offset, pa % 2 ** 32, true);
    view.setUint32(offset + 4, Math.floor(pa / 2 ** 32), true);
    bytes.set(page, offset + 8);
    offset += RECORD_BYTES;
  }
  return bytes;
}

function refuseCut(offset: number, left: number, at: string): never {
  throw new TableDumpError('TABLES_RECORD_CUT', {
    what: `the last record has ${left} of its ${RECORD_BYTES} bytes`,
    why: 'a record is a physical address of 8 bytes and a page of 4096, so the file was cut short, or is no dump',
    fix: 'take the whole file, or make the dump again',
    at: `${at}, byte ${offset}`,
  });
}

function refuseAddress(pa: number, offset: number, earlier: number | undefined, at: string): void {
  const place = `${at}, byte ${offset}`;
  if (pa >= PA_BYTES)
    throw new TableDumpError('TABLES_PAGE_TOO_HIGH', {
      what: `the record's physical address ${hex(pa, 16)} has more than 40 bits`,
      why: 'no ARMv7 CPU has it: the record is damaged, or the file is of another kind',
      fix: 'name a file of records of 4104 bytes (u64 address, 4096 bytes), or make the dump again',
      at: place,
    });
  if (pa % PAGE_BYTES !== 0)
    throw new TableDumpError('TABLES_PAGE_UNALIGNED', {
      what: `the record's physical address ${hex(pa)} is no multiple of 4096`,
      why: 'a record holds one page: the record is damaged, or the file is of another kind',
      fix: 'name a file of records of 4104 bytes (u64 address, 4096 bytes), or make the dump again',
      at: place,
    });
  if (earlier !== undefined)
    throw new TableDumpError('TABLES_PAGE_TWICE', {
      what: `the page at ${hex(pa)} is in the dump twice`,
      why: `the record at byte ${earlier - 8} has it too, and which of them a walk would read is not known`,
      fix: 'make the dump again',
      at: place,
    });
}

function refuseAbsent(pa: number, at: string): never {
  throw new TableDumpError('TABLES_PAGE_ABSENT', {
    what: `the page at ${hex(pa)} is not in the dump`,
    why: 'a walk came to a table there',
    fix: 'make the dump again, with every page that tables reach',
    at,
  });
}
