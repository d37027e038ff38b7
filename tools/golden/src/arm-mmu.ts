import { encodeDescriptor } from '@tablewalk/architecture';
import { newWalk, WalkStage } from '@tablewalk/contracts';
import type { MemoryAttributes, Regime, Registers, TableFormat } from '@tablewalk/contracts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { builtInPlugins } from '../../../apps/cli/src/index.ts';
import { answerDiffers, answerTo, differs } from './arm-mmu-answer.ts';
import type { Memory, Query } from './arm-mmu-answer.ts';
import { Tally } from './family.ts';
import type { Family } from './family.ts';

/** A line of golden/arm-mmu: tables, registers, and what QEMU answered. */
interface Case {
  readonly id: string;
  readonly category: string;
  readonly format: string;
  readonly cpu: 'cortex-a15' | 'cortex-a9';
  readonly state: 'secure' | 'nonsecure';
  readonly wordBytes: 4 | 8;
  readonly regs: Readonly<Record<string, string>>;
  readonly mem: readonly (readonly [pa: string, word: string, count?: number])[];
  readonly queries: readonly Query[];
}

/** A line of short-attrs.jsonl.gz, which is not QEMU's. */
interface AttributesRow {
  readonly tre: 0 | 1;
  readonly tex: number;
  readonly c: number;
  readonly b: number;
  readonly s: number;
  readonly prrr?: string | number;
  readonly nmrr?: string | number;
  readonly attr: MemoryAttributes;
}

const CASES = ['short.jsonl.gz', 'lpae.jsonl.gz'];
const ATTRIBUTES = 'short-attrs.jsonl.gz';

/**
 * Translation tables of ARMv7-A with the answers of QEMU's Cortex-A15 and Cortex-A9, and memory attributes. Each is
 * walked by the format of a page-table plugin that its registers select; what no plugin has a format for is left
 * out, and said.
 */
export const armMmuFamily: Family = {
  name: 'arm-mmu',
  folders: (root) =>
    [root, ...readdirSync(root).map((name) => join(root, name))].filter((folder) =>
      [...CASES, ATTRIBUTES].some((name) => existsSync(join(folder, name))),
    ),
  async compare(folder, progress) {
    const tally = new Tally('arm-mmu');
    const formats = [...(await builtInPlugins()).values()].flatMap(({ format }) => format ?? []);
    for (const file of CASES)
      for (const each of linesOf(join(folder, file)) as Case[]) {
        progress(each.id);
        compareCase(each, formats, tally);
      }
    for (const [i, row] of (linesOf(join(folder, ATTRIBUTES)) as AttributesRow[]).entries())
      compareAttributes(`${ATTRIBUTES} line ${i + 1}`, row, formats, tally);
    return tally.result();
  },
};

function linesOf(file: string): unknown[] {
  if (!existsSync(file)) return [];
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
}

function compareCase(each: Case, formats: readonly TableFormat[], tally: Tally): void {
  const registers = registersOf(each);
  const format = formats.find((one) => one.selectedBy(registers));
  if (format === undefined) {
    for (const _query of each.queries) tally.skip(`queries of ${each.format}, a format that no plugin has`);
    return;
  }
  // Another format's walk could agree by chance, and would prove nothing.
  if (format.wordBytes !== each.wordBytes) {
    for (const _query of each.queries) tally.add(each.id, [`${each.format} is selected as ${format.name}`]);
    return;
  }
  const memory = memoryOf(each);
  const regime = format.regime(registers);
  for (const [i, query] of each.queries.entries()) {
    const answer = answerTo(query, format, regime, memory);
    const who = query.privileged ? 'PL1' : 'PL0';
    const what = `${each.id} query ${i}: ${query.op} ${query.access} ${query.va} ${who}`;
    tally.add(what, answerDiffers(query, answer, each.wordBytes));
  }
}

/** ID_MMFR0[3:0]: VMSAv7 alone, or with PXN and LPAE. */
const VMSA_SUPPORT = { 'cortex-a9': 3n, 'cortex-a15': 5n } as const;

const registersOf = ({ regs, cpu, state }: Case): Registers => ({
  ...Object.fromEntries(Object.entries(regs).map(([name, value]) => [name, BigInt(value)])),
  ID_MMFR0: VMSA_SUPPORT[cpu],
  SCR: state === 'secure' ? 0n : 1n,
});

function memoryOf({ mem, wordBytes }: Case): Memory {
  const memory = new Map<number, readonly [number, number]>();
  for (const [pa, text, count = 1] of mem) {
    const word = BigInt(text);
    const halves = [Number(word & 0xffff_ffffn), Number(word >> 32n)] as const;
    for (let i = 0; i < count; i++) memory.set(Number(pa) + i * wordBytes, halves);
  }
  return memory;
}

/** A section with these bits, in a table at 0. */
function compareAttributes(
  what: string,
  row: AttributesRow,
  formats: readonly TableFormat[],
  tally: Tally,
): void {
  const { tre, tex, c, b, s, prrr = 0, nmrr = 0, attr } = row;
  const registers = { TTBR0: 0n, SCTLR: BigInt(tre) << 28n, PRRR: BigInt(prrr), NMRR: BigInt(nmrr) };
  const format = formats.find((one) => one.wordBytes === 4 && one.selectedBy(registers));
  const section = format?.layouts.find(({ type }) => type === 'section');
  if (format === undefined || section === undefined) {
    tally.skip('rows of attributes, of a format that no plugin has');
    return;
  }
  const { lo, hi } = encodeDescriptor(section, { 'TEX[2:0]': tex, C: c, B: b, S: s });
  const got = attributesOf(format.regime(registers), lo, hi);
  tally.add(
    what,
    Object.entries(attr).flatMap(([name, value]) => differs(name, value, got[name])),
  );
}

function attributesOf(regime: Regime, lo: number, hi: number): Readonly<Record<string, unknown>> {
  const walk = newWalk();
  regime.begin(walk, 0);
  regime.descend(walk, lo, hi);
  return walk.stage === WalkStage.leaf ? { ...regime.attributes(walk) } : {};
}
