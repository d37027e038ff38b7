import { decodeFields } from '@tablewalk/architecture';
import { ConfigError, hex } from '@tablewalk/base';
import type { TableFormat } from '@tablewalk/contracts';
import { kernelEntryDifferences, swapperRoot } from '@tablewalk/table-dump';
import type { DumpRoot, EntryDifference, EntryWord, TableDump } from '@tablewalk/table-dump';
import { usersText } from './question.ts';
import { wordText } from './words.ts';

export interface RootDifferences {
  readonly root: DumpRoot;
  readonly entries: readonly EntryDifference[];
}

/**
 * Every root but init_mm's, with the entries of its kernel part that are not init_mm's.
 *
 * @throws ConfigError ROOT_UNKNOWN where the dump does not say which root is init_mm's
 */
export function rootDifferences(dump: TableDump, format: TableFormat, only?: number): RootDifferences[] {
  const swapper = swapperRoot(dump);
  if (swapper === undefined)
    throw new ConfigError('ROOT_UNKNOWN', {
      what: 'no root of the dump is used as swapper_pg_dir',
      why: "there is nothing to compare the others' tables with",
      fix: 'take --diff-roots out, or make the dump again',
      at: dump.name,
    });
  return dump.meta.roots
    .filter(({ pa }) => (only === undefined ? pa !== swapper.pa : pa === only))
    .map((root) => ({ root, entries: kernelEntryDifferences(dump, format, root.pa) }));
}

export const differencesText = (
  dump: TableDump,
  format: TableFormat,
  found: readonly RootDifferences[],
): string =>
  found
    .flatMap(({ root, entries }) => [
      `root ${hex(root.pa)}: ${usersText(root)}: ${countText(entries.length)}`,
      ...(format.wordBytes === 4 ? sequenceLines(dump, root) : []),
      ...entries.flatMap((entry) => entryLines(format, entry)),
    ])
    .join('\n');

const countText = (count: number): string =>
  count === 0 ? 'as init_mm' : `${count} kernel ${count === 1 ? 'entry differs' : 'entries differ'}`;

/** check_vmalloc_seq copies what is missing of vmalloc space when the task is switched to; LPAE kernels have none. */
function sequenceLines({ meta }: TableDump, { users }: DumpRoot): string[] {
  const own = users.flatMap(({ vmalloc_seq: sequence }) => sequence ?? [])[0];
  const master = meta.init_mm_vmalloc_seq;
  if (own === undefined || master === undefined || own === master) return [];
  return [
    `  vmalloc_seq ${own}, init_mm's is ${master}: check_vmalloc_seq copies vmalloc space at the next switch`,
  ];
}

function entryLines(format: TableFormat, entry: EntryDifference): string[] {
  const { level, index, va, here, swapper, mended, why } = entry;
  return [
    `  level ${level} entry ${index} (${hex(index, 1)}), ${hex(va)}`,
    `    here     ${descriptorText(format, level, here)}`,
    `    init_mm  ${descriptorText(format, level, swapper)}`,
    `    a lazy fault mends it: ${mended ? 'yes' : 'no'}; ${why}`,
  ];
}

/** A descriptor in a line: value, type, and the fields that are not 0. */
function descriptorText(format: TableFormat, level: number, word: EntryWord): string {
  const { lo, hi } = word;
  const layout = format.layoutOf(level, lo, hi);
  const fields = decodeFields(layout, lo, hi)
    .filter(({ value }) => value !== 0)
    .map(({ name, value, meaning }) => (meaning.startsWith('0x') ? meaning : `${name} ${value}`));
  return [wordText(word, format.wordBytes), lo === 0 && hi === 0 ? 'none' : layout.type, ...fields].join(
    '  ',
  );
}

export const differencesJson = (format: TableFormat, found: readonly RootDifferences[]): object[] =>
  found.map(({ root, entries }) => ({
    root: hex(root.pa),
    users: usersText(root),
    entries: entries.map(({ level, index, va, here, swapper, mended, why }) => ({
      level,
      index,
      va: hex(va),
      here: wordJson(format, level, here),
      swapper: wordJson(format, level, swapper),
      mended,
      why,
    })),
  }));

const wordJson = (format: TableFormat, level: number, word: EntryWord): object => ({
  pa: hex(word.pa),
  descriptor: wordText(word, format.wordBytes),
  type: format.layoutOf(level, word.lo, word.hi).type,
});
