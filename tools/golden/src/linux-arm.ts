import { FaultKind, newWalk, WalkStage } from '@tablewalk/contracts';
import type { Access, Regime, TableFormat } from '@tablewalk/contracts';
import {
  finishWalk,
  kernelEntryDifferences,
  leafCounts,
  mappedRanges,
  outputAddress,
  registersOf,
  taskSizeOf,
} from '@tablewalk/table-dump';
import type { TableDump } from '@tablewalk/table-dump';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { findFormat, openTableDump } from '../../../apps/cli/src/index.ts';
import { Tally } from './family.ts';
import type { Family } from './family.ts';

/**
 * Page tables of running Linux kernels (short and long descriptors), with what QEMU said of addresses in them: a
 * row of `*.gva2gpa.csv.gz` is one comparison, a row of `*.ats.csv.gz` four. What the meta file counts of each root
 * is compared, too: leaves by kind, and first-level entries that are not swapper_pg_dir's.
 */
export const linuxArmFamily: Family = {
  name: 'linux-arm',
  folders: (root) =>
    [root, ...readdirSync(root).map((name) => join(root, name))].filter(
      (folder) => dumpsIn(folder).length > 0,
    ),
  async compare(folder, progress) {
    const tally = new Tally('linux-arm');
    for (const path of dumpsIn(folder)) {
      progress(basename(path));
      await compareDump(path, tally);
    }
    return tally.result();
  },
};

const PAGES = '.ptpages.bin.gz';
const dumpsIn = (folder: string): string[] =>
  statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
    ? readdirSync(folder)
        .filter((name) => name.endsWith(PAGES))
        .sort()
        .map((name) => join(folder, name))
    : [];

async function compareDump(path: string, tally: Tally): Promise<void> {
  const stem = path.slice(0, -PAGES.length);
  const dump = openTableDump(path);
  const format = await findFormat(dump, 0);
  if (format === undefined) {
    tally.skip('snapshots of a format that no plugin has');
    return;
  }
  const snapshot: Snapshot = { name: basename(stem), dump, format, regimes: new Map() };
  for (const [i, row] of rowsOf(`${stem}.gva2gpa.csv.gz`).entries())
    tally.add(`${snapshot.name}.gva2gpa row ${i + 1}: ${row.join(',')}`, gva2gpaDiffers(snapshot, row));
  for (const [i, row] of rowsOf(`${stem}.ats.csv.gz`).entries())
    for (const [column, found] of atsDiffers(snapshot, row).entries())
      tally.add(`${snapshot.name}.ats row ${i + 1} ${ATS[column]?.name}: ${row.join(',')}`, found);
  for (const root of dump.meta.roots) compareRoot(snapshot, root, tally);
}

/** Rows without the header; an answer file that is not there has none. */
const rowsOf = (file: string): string[][] =>
  existsSync(file)
    ? gunzipSync(readFileSync(file))
        .toString('utf8')
        .split('\n')
        .slice(1)
        .filter((line) => line !== '')
        .map((line) => line.split(','))
    : [];

interface Snapshot {
  readonly name: string;
  readonly dump: TableDump;
  readonly format: TableFormat;
  /** By CPU, root and DACR: rows of one follow each other. */
  readonly regimes: Map<string, Regime>;
}

function regimeFor({ dump, format, regimes }: Snapshot, cpu: string, root: string, dacr: string): Regime {
  const key = `${cpu} ${root} ${dacr}`;
  let regime = regimes.get(key);
  if (regime === undefined) {
    const registers = registersOf(dump, Number(cpu), { root: parseInt(root, 16), dacr: parseInt(dacr, 16) });
    regimes.set(key, (regime = format.regime(registers)));
  }
  return regime;
}

const walk = newWalk();

/** What became of the access: `none`, or the fault. */
function faultAt(
  { dump, format }: Snapshot,
  regime: Regime,
  va: number,
  access: Access,
): FaultKind | 'absent' {
  finishWalk(regime, format.wordBytes, dump.pages, walk, va);
  if (walk.stage === WalkStage.table) return 'absent';
  return walk.stage === WalkStage.fault ? walk.fault : regime.check(walk, access);
}

/** `cpu,root,mode,dacr,va,pa`: the monitor's gva2gpa, a check of a data read. */
function gva2gpaDiffers(snapshot: Snapshot, row: readonly string[]): string[] {
  const [cpu = '', root = '', mode, dacr = '', va = '', pa = ''] = row;
  const regime = regimeFor(snapshot, cpu, root, dacr);
  const fault = faultAt(snapshot, regime, parseInt(va, 16), {
    write: false,
    fetch: false,
    privileged: mode === 'svc',
  });
  if (fault === 'absent') return ['the walk leaves the dump'];
  const got = fault === FaultKind.none ? outputAddress(walk).toString(16) : '-';
  if (got === pa || (fault === FaultKind.accessFlag && qemuPassesAccessFlag(pa))) return [];
  return [`expected ${pa}, got ${got}${got === '-' ? ` (${faultText(fault, walk.level)})` : ''}`];
}

/** README of the data, QEMU difference 1: gva2gpa does not look at the access flag of long descriptors. */
const qemuPassesAccessFlag = (pa: string): boolean => pa === outputAddress(walk).toString(16);

const ATS = [
  { name: 'ATS1CPR', access: { write: false, fetch: false, privileged: true } },
  { name: 'ATS1CPW', access: { write: true, fetch: false, privileged: true } },
  { name: 'ATS1CUR', access: { write: false, fetch: false, privileged: false } },
  { name: 'ATS1CUW', access: { write: true, fetch: false, privileged: false } },
] as const;

/** `cpu,root,dacr,va` and PAR after each of four instructions. */
function atsDiffers(
  snapshot: Snapshot,
  [cpu = '', root = '', dacr = '', va = '', ...pars]: readonly string[],
): string[][] {
  const regime = regimeFor(snapshot, cpu, root, dacr);
  return ATS.map(({ access }, column) => {
    const par = BigInt(`0x${pars[column] ?? '0'}`);
    const fault = faultAt(snapshot, regime, parseInt(va, 16), access);
    if (fault === 'absent') return ['the walk leaves the dump'];
    const [got, expected] = [answer(snapshot, regime, fault), answerIn(par, snapshot.format)];
    if (got === expected || qemuChecksDomainFirst(snapshot, regime, fault, expected)) return [];
    return [`expected ${expected}, got ${got}`];
  });
}

/** An answer in words, ours and of a PAR: the page, or the fault status. */
function answer({ format }: Snapshot, regime: Regime, fault: FaultKind): string {
  if (fault === FaultKind.none) return pageText(BigInt(outputAddress(walk)), format);
  return statusText(regime.status(fault, walk.level));
}

/** Bit 0: fault, with FS[3:0] in [4:1] (short) or STATUS in [6:1] (long); else PA[31:12] or PA[39:12] in place. */
const answerIn = (par: bigint, format: TableFormat): string =>
  (par & 1n) === 0n
    ? pageText(par, format)
    : statusText(Number((par >> 1n) & (format.wordBytes === 8 ? 0x3fn : 0xfn)));

const pageText = (address: bigint, { wordBytes }: TableFormat): string =>
  `page 0x${((address >> 12n) & (wordBytes === 8 ? 0xfff_ffffn : 0xf_ffffn)).toString(16)}`;
const statusText = (status: number): string => `fault status 0x${status.toString(16)}`;

/**
 * README of the data, QEMU difference 2: with an invalid second-level entry in a domain without access QEMU says page
 * domain fault, where the manual has the translation fault first.
 */
const qemuChecksDomainFirst = (
  { format }: Snapshot,
  regime: Regime,
  fault: FaultKind,
  expected: string,
): boolean =>
  format.wordBytes === 4 &&
  fault === FaultKind.translation &&
  walk.level === 2 &&
  expected === statusText(regime.status(FaultKind.domain, 2));

const faultText = (fault: FaultKind, level: number): string =>
  `${Object.entries(FaultKind).find(([, kind]) => kind === fault)?.[0]} fault at level ${level}`;

type Root = TableDump['meta']['roots'][number];

function compareRoot({ name, dump, format }: Snapshot, root: Root, tally: Tally): void {
  const what = `${name} root ${root.pa.toString(16)}`;
  if (root.leaf_counts !== undefined) {
    const regime = format.regime(registersOf(dump, 0, { root: root.pa }));
    const counts = leafCounts(format, mappedRanges(format, regime, dump.pages), taskSizeOf(dump));
    for (const kind of new Set([...Object.keys(counts), ...Object.keys(root.leaf_counts)]))
      tally.add(`${what} ${kind}`, differs(root.leaf_counts[kind] ?? 0, counts[kind] ?? 0));
  }
  if (root.kernel_entry_differences !== undefined)
    tally.add(`${what} kernel entries`, entriesDiffer(root.kernel_entry_differences, dump, format, root.pa));
}

type Entry = NonNullable<Root['kernel_entry_differences']>[number];

/** The first entry that one side has and the other lacks, or has otherwise. */
function entriesDiffer(
  expected: readonly Entry[],
  dump: TableDump,
  format: TableFormat,
  root: number,
): string[] {
  const found = kernelEntryDifferences(dump, format, root);
  const got = found.map(({ index, va, here, swapper }) => ({
    index,
    va,
    here: here.lo,
    swapper: swapper.lo,
  }));
  const texts = [expected, got].map((entries) => new Set(entries.map(entryText)));
  const [theirs = new Set<string>(), ours = new Set<string>()] = texts;
  return [
    ...[...theirs].filter((text) => !ours.has(text)).map((text) => `expected ${text}`),
    ...[...ours].filter((text) => !theirs.has(text)).map((text) => `not expected: ${text}`),
  ];
}

const entryText = ({ index, va, here, swapper }: Entry): string =>
  `entry ${index} at ${va.toString(16)}: ${here.toString(16)}, swapper_pg_dir ${swapper.toString(16)}`;
const differs = (expected: number, got: number): string[] =>
  expected === got ? [] : [`expected ${expected}, got ${got}`];
