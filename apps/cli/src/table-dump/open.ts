import { ConfigError, hex } from '@tablewalk/base';
import type { TableFormat } from '@tablewalk/contracts';
import { readMeta, readPages, registersOf, TableDumpError } from '@tablewalk/table-dump';
import type { TableDump } from '@tablewalk/table-dump';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { builtInIds, catalogueFor } from '../catalogue.ts';

const PAGES = /\.ptpages\.bin(\.gz)?$/;
/** What a small gzip file may become: pages of tables for 128 GiB of mappings, and a long list of tasks. */
const PAGES_BYTES_MAX = 512 * 2 ** 20;
const META_BYTES_MAX = 64 * 2 ** 20;

/**
 * Opens `PFX-SNAP.ptpages.bin` with `PFX-SNAP.meta.json` beside it, each plain or gzip; a gzip file may unpack to
 * `bytesMax` bytes.
 *
 * @throws ConfigError TABLES_MISSING, TABLES_NAME for a path that cannot be right; TableDumpError for what is
 * damaged.
 */
export function openTableDump(path: string, bytesMax = PAGES_BYTES_MAX): TableDump {
  if (!existsSync(path) || !statSync(path).isFile())
    throw new ConfigError('TABLES_MISSING', {
      what: existsSync(path) ? `${path} is no file` : `there is no page-table dump ${path}`,
      fix: 'name a file PFX-SNAP.ptpages.bin.gz; machines/dumps holds two small ones',
      at: '--tables',
    });
  const stem = path.replace(PAGES, '');
  if (stem === path)
    throw new ConfigError('TABLES_NAME', {
      what: `${path} is not named as a page-table dump`,
      why: 'the description of PFX-SNAP.ptpages.bin (or .bin.gz) is looked for as PFX-SNAP.meta.json (or .json.gz)',
      fix: 'name the .ptpages.bin file, or rename it',
      at: '--tables',
    });
  const metaPath = [`${stem}.meta.json.gz`, `${stem}.meta.json`].find((name) => existsSync(name));
  if (metaPath === undefined)
    throw new TableDumpError('TABLES_META_MISSING', {
      what: `the dump has no description: neither ${stem}.meta.json.gz nor ${stem}.meta.json is there`,
      why: 'registers tell where a walk begins; pages alone do not',
      fix: 'put the file beside the pages',
      at: path,
    });
  return {
    name: path,
    pages: readPages(unpacked(path, bytesMax), path),
    meta: readMeta(textOf(unpacked(metaPath, Math.min(bytesMax, META_BYTES_MAX)), metaPath), metaPath),
  };
}

/** The format that a CPU's registers select, of those that page-table plugins have; undefined: none has it. */
export async function findFormat(dump: TableDump, cpu: number): Promise<TableFormat | undefined> {
  const registers = registersOf(dump, cpu);
  const format = (await tableFormats()).find((each) => each.selectedBy(registers));
  // The registers' names go by "lpae": words of another size would be another format than the dump says.
  return format !== undefined && (format.wordBytes === 8) === dump.meta.lpae ? format : undefined;
}

/**
 * The same, where there must be one.
 *
 * @throws TableDumpError TABLES_FORMAT_UNKNOWN
 */
export async function formatOf(dump: TableDump, cpu: number): Promise<TableFormat> {
  const format = await findFormat(dump, cpu);
  if (format !== undefined) return format;
  const { TTBCR = 0, ID_MMFR0 = 0 } = dump.meta.cpus[cpu] ?? {};
  const known = (await tableFormats()).map(({ name }) => name).join(', ');
  throw new TableDumpError('TABLES_FORMAT_UNKNOWN', {
    what: `the registers of CPU ${cpu} select no table format that a plugin has`,
    why: `TTBCR is ${hex(TTBCR)}, ID_MMFR0 is ${hex(ID_MMFR0)}; the formats are: ${known}`,
    fix: 'correct the registers, or add a page-table plugin that has the format',
    at: dump.name,
  });
}

async function tableFormats(): Promise<TableFormat[]> {
  const ids = builtInIds().filter((id) => id.startsWith('page-table-'));
  const catalogue = await catalogueFor(ids, 'translate');
  return ids.flatMap((id) => catalogue.get(id)?.format ?? []);
}

function unpacked(path: string, bytesMax: number): Uint8Array {
  try {
    const bytes = readFileSync(path);
    if (!path.endsWith('.gz')) return bytes;
    return gunzipSync(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TableDumpError('TABLES_UNREADABLE', {
      what: `${path} cannot be read to its end`,
      why: error instanceof RangeError ? `it unpacks to more than ${bytesMax} bytes` : why,
      fix: path.endsWith('.gz')
        ? 'the gzip file is damaged, cut short or of another kind: make it again'
        : 'look at the file and its disk',
      at: `${path}, ${sizeText(path)}`,
    });
  }
}

const sizeText = (path: string): string => `${statSync(path).size} bytes`;

function textOf(bytes: Uint8Array, at: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TableDumpError('TABLES_META_NOT_JSON', {
      what: 'the description of the dump is no text',
      why: 'it is not UTF-8',
      fix: 'take the whole file, or make the dump again',
      at,
    });
  }
}
