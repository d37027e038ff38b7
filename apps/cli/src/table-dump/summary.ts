import { formatBytes, hex } from '@tablewalk/base';
import type { Registers, TableFormat } from '@tablewalk/contracts';
import { leafCounts, mappedRanges, registersOf, taskSizeOf } from '@tablewalk/table-dump';
import type { MappedRange, TableDump } from '@tablewalk/table-dump';
import { usersText } from './question.ts';
import { attributesWord } from './words.ts';

export interface Summary {
  readonly dump: TableDump;
  readonly format: TableFormat;
  readonly roots: readonly RootSummary[];
}
export interface RootSummary {
  readonly pa: number;
  readonly users: string;
  readonly leafCounts: Readonly<Record<string, number>>;
  readonly ranges: readonly MappedRange[];
}

/** What the registers of `cpu` map with each root of the dump in TTBR0; with one alone when `root` is given. */
export function summary(dump: TableDump, format: TableFormat, cpu: number, root?: number): Summary {
  const roots = dump.meta.roots
    .filter(({ pa }) => root === undefined || pa === root)
    .map((each) => {
      const { pa } = each;
      const ranges = mappedRanges(format, format.regime(registersOf(dump, cpu, { root: pa })), dump.pages);
      return { pa, users: usersText(each), leafCounts: leafCounts(format, ranges, taskSizeOf(dump)), ranges };
    });
  return { dump, format, roots };
}

/** `whole`: every range; else ranges of like size, rights and attributes in one line. */
export function summaryText({ dump, format, roots }: Summary, cpu: number, whole: boolean): string {
  const { meta, pages } = dump;
  const { cpus, tasks } = meta;
  const machine = `${cpus.length} CPUs, ${tasks.length} tasks, ${meta.roots.length} roots`;
  const counts = `${pages.pageCount} pages of tables, ${machine}`;
  return [
    `${dump.name}: kernel ${meta.kernel}, snapshot ${meta.snapshot}, ${meta.cpu_model ?? 'CPU not named'}`,
    `format ${format.name} (${format.source})`,
    `${counts}; PAGE_OFFSET ${hex(meta.page_offset)}`,
    ...meta.cpus.map((_cpu, number) => `CPU ${number}: ${registersText(registersOf(dump, number))}`),
    `mapped, by the registers of CPU ${cpu}:`,
    ...roots.flatMap((root) => rootLines(root, taskSizeOf(dump), whole)),
  ].join('\n');
}

const registersText = (registers: Registers): string =>
  Object.entries(registers)
    .map(([name, value]) => `${name} 0x${value.toString(16)}`)
    .join('  ');

function rootLines(
  { pa, users, leafCounts: counts, ranges }: RootSummary,
  taskSize: number,
  whole: boolean,
): string[] {
  const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  const lines = whole ? ranges.map(rangeText) : groups(ranges, taskSize).map(groupText);
  return [`root ${hex(pa)}: ${users}`, `  ${kinds.join(', ')}`, ...lines];
}

const kindText = ({ shift, rights, attributes, global }: MappedRange): string =>
  [
    formatBytes(2 ** shift).padEnd(5),
    `PL1 ${rights.pl1}  PL0 ${rights.pl0}`,
    `${attributesWord(attributes)}${global ? '' : ', nG'}${rights.refused === undefined ? '' : ', no access'}`,
  ].join('  ');

const rangeText = (range: MappedRange): string =>
  `  ${hex(range.start)}-${hex(range.end - 1)}  ${`${range.leaves} x`.padStart(6)} ${kindText(range)}` +
  `  ${range.pa === undefined ? 'at pages here and there' : `at ${hex(range.pa)}`}`;

interface Group {
  readonly first: MappedRange;
  readonly ranges: MappedRange[];
}

/** Ranges of one kind, of user space and of the kernel's part apart. */
function groups(ranges: readonly MappedRange[], taskSize: number): Group[] {
  const found = new Map<string, Group>();
  for (const range of ranges) {
    const key = `${range.start < taskSize} ${kindText(range)}`;
    const group = found.get(key);
    if (group === undefined) found.set(key, { first: range, ranges: [range] });
    else group.ranges.push(range);
  }
  return [...found.values()];
}

function groupText({ first, ranges }: Group): string {
  const leaves = ranges.reduce((sum, range) => sum + range.leaves, 0);
  const last = ranges.at(-1) ?? first;
  const parts = ranges.length === 1 ? '' : `  in ${ranges.length} ranges`;
  return `  ${hex(first.start)}-${hex(last.end - 1)}  ${`${leaves} x`.padStart(6)} ${kindText(first)}${parts}`;
}

export const summaryJson = ({ dump, format, roots }: Summary, cpu: number): object => ({
  tables: dump.name,
  kernel: dump.meta.kernel,
  snapshot: dump.meta.snapshot,
  format: format.name,
  pages: dump.pages.pageCount,
  cpus: dump.meta.cpus.map((_cpu, number) =>
    Object.fromEntries(
      Object.entries(registersOf(dump, number)).map(([name, value]) => [name, `0x${value.toString(16)}`]),
    ),
  ),
  cpu,
  roots: roots.map(({ pa, users, leafCounts: counts, ranges }) => ({
    pa: hex(pa),
    users,
    leafCounts: counts,
    ranges: ranges.map((range) => ({
      ...range,
      start: hex(range.start),
      end: hex(range.end),
      ...(range.pa === undefined ? {} : { pa: hex(range.pa) }),
    })),
  })),
});
