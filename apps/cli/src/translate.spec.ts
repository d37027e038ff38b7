import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { gunzipSync } from 'node:zlib';
import { openTableDump } from './table-dump/open.ts';
import { tablewalk, tablewalkHere } from './testing/tablewalk.ts';
import { machinesFolder, repositoryRoot } from './install.ts';

const folder = mkdtempSync(join(tmpdir(), 'translate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const dumps = join(machinesFolder, 'dumps');
const short = join(dumps, 'short-tiny.ptpages.bin.gz');
const lpae = join(dumps, 'lpae-tiny.ptpages.bin.gz');
const translated = (tables: string, ...args: readonly string[]) =>
  tablewalkHere('translate', '--tables', tables, ...args);

async function lines(tables: string, ...args: readonly string[]): Promise<string[]> {
  const { status, stdout, stderr } = await translated(tables, ...args);
  expect([status, stderr]).toEqual([0, '']);
  return stdout.trimEnd().split('\n');
}

const json = async (tables: string, ...args: readonly string[]): Promise<Record<string, unknown>[]> =>
  JSON.parse((await lines(tables, ...args, '--json')).join('\n')) as Record<string, unknown>[];

describe('translate --va', () => {
  it('tells a walk of the short format, level by level, with the words of Linux', async () => {
    const told = await lines(short, '--va', '0xa004');
    expect(told.filter((line) => !/^ {6}[^L]/.test(line))).toEqual([
      '0x0000a004, read at PL1',
      '  TTBR0 0x4001006a: TTBCR.N is 0, so TTBR0 has every address; ' +
        'first level at 0x40010000: TTBR0 of cpu0, task 42 demo',
      '  level 1: table 0x40010000, entry 0 (0x0) at 0x40010000 is 0x40020821: page table',
      '    for all below: Domain 1 (DACR[3:2])',
      '  level 2: table 0x40020800, entry 10 (0xa) at 0x40020828 is 0x40042c7f: small page',
      '    Linux pte at 0x40020028 is 0x4004275f: ' +
        'L_PTE_PRESENT L_PTE_YOUNG L_PTE_DIRTY L_PTE_USER L_PTE_XN L_PTE_SHARED',
      '      L_PTE_MT_WRITEALLOC',
      '  = 0x40042004, in 4KiB at 0x40042000',
      '    memory: normal, write-back, write-allocate; inner shareable',
      '    PL1 rw-, PL0 rw-; of its ASID',
      '    domain 1: DACR[3:2] is 0b01, client: permissions count',
    ]);
    expect(told).toContain('      TEX[2:0] [8:6]                      0b001  memory type by C, B');
  });

  it('tells a walk of the long format, from TTBR1 on at its level, with the bits that are for software', async () => {
    const told = await lines(lpae, '--va', '0xf0800010');
    expect(told.filter((line) => !line.startsWith('      '))).toEqual([
      '0xf0800010, read at PL1',
      '  TTBR1 0x40007000: TTBCR.T0SZ is 0, T1SZ is 2, so TTBR1 has 0xc0000000 and above',
      '  level 2: table 0x40007000, entry 388 (0x184) at 0x40007c20 is 0x0000000040015003: table',
      '    for all below: no restriction',
      '  level 3: table 0x40015000, entry 0 (0x0) at 0x40015000 is 0x00e0000009000713: page',
      '    Linux: L_PTE_DIRTY',
      '  = 0x09000010, in 4KiB at 0x09000000',
      '    memory: device',
      '    PL1 rw-, PL0 ---; global',
    ]);
  });

  it('shows L_PGD_SWAPPER where the entry is a copy of init_mm’s', async () => {
    const told = await lines(lpae, '--va', '0xbf000000', '--root', 'swapper_pg_dir');
    expect(told).toContain('    Linux: L_PGD_SWAPPER');
  });

  it.each([
    [short, ['--va', '0xbf000000'], 'DFSR 0x005 (FS 0b00101)', 'do_translation_fault: init_mm has the entry'],
    [
      short,
      ['--va', '0xbf000000', '--root', 'swapper_pg_dir', '--access', 'write', '--user'],
      'DFSR 0x80f',
      'SIGSEGV',
    ],
    [short, ['--va', '0xd0000000'], 'DFSR 0x005', 'init_mm has no entry either: bad area'],
    [short, ['--va', '0x9000', '--access', 'write', '--user'], 'DFSR 0x80f', 'marks the page dirty'],
    [short, ['--va', '0xb000'], 'DFSR 0x017 (FS 0b00111)', 'marks the page young'],
    [short, ['--va', '0xc0000000', '--access', 'write'], 'DFSR 0x80d', 'do_sect_fault: do_bad_area'],
    [short, ['--va', '0xc0100000', '--access', 'fetch'], 'IFSR 0x00d', '"section permission fault"'],
    [lpae, ['--va', '0xb000'], 'DFSR 0x20b (STATUS 0b001011)', 'marks the page young (pte_mkyoung)'],
    [
      lpae,
      ['--va', '0xbf000000'],
      'DFSR 0x206',
      '"level 2 translation fault", do_translation_fault: init_mm has',
    ],
  ])('a fault is an answer: %s %o', async (tables, args, status, linux) => {
    const told = (await lines(tables, ...args)).join(' ').replace(/ +/g, ' ');
    expect(told).toContain(status);
    expect(told).toContain(linux);
  });

  it('a table that the dump lacks is said, and not guessed', async () => {
    const [answer] = await json(short, '--va', '0xf0800000');
    expect(answer).toMatchObject({ result: 'unknown', absent: '0x40023800' });
    expect((await lines(short, '--va', '0xf0800000')).join('\n')).toContain(
      '= not known: the next descriptor',
    );
  });

  it('takes symbols, several addresses, tasks, PIDs and addresses of roots', async () => {
    const all = await json(short, '--va', 'swapper_pg_dir', '--va', '32768', '--cpu', '1', '--root', 'demo');
    expect(all.map(({ va, pa, result }) => [va, pa, result])).toEqual([
      ['0xc0004000', '0x40004000', 'translated'],
      ['0x00008000', '0x40040000', 'translated'],
    ]);
    for (const root of ['demo', '42', '0x40010000', 'TTBR0 of cpu0'])
      expect((await json(short, '--va', '0x8000', '--root', root))[0]).toMatchObject({ pa: '0x40040000' });
  });

  it('is JSON with 64 bits whole', async () => {
    const [answer] = await json(lpae, '--va', '0x8000');
    expect(answer).toMatchObject({ ttbr: 'TTBR0', result: 'translated', pa: '0x40040000' });
    const steps = answer?.['steps'] as { descriptor: string; type: string; fields: object[] }[];
    expect(steps.map(({ descriptor, type }) => [descriptor, type])).toEqual([
      ['0x0000000040011003', 'table'],
      ['0x0000000040013003', 'table'],
      ['0x0420000040040fdf', 'page'],
    ]);
    expect(steps[2]?.fields).toContainEqual({
      ...{ name: 'PXN', high: 53, low: 53, value: 1, meaning: 'PL1 may not execute' },
    });
  });
});

describe('translate without --va', () => {
  it('sums the dump up', async () => {
    const told = (await lines(short)).join('\n');
    expect(told).toContain('11 pages of tables, 2 CPUs, 3 tasks, 2 roots; PAGE_OFFSET 0xc0000000');
    expect(told).toContain('CPU 0: SCTLR 0x10c5387d  TTBCR 0x0  TTBR0 0x4001006a');
    expect(told).toContain(
      'root 0x40004000: swapper_pg_dir, TTBR0 of cpu1\n  3 page/kernel, 4 section/kernel\n',
    );
    expect(told).toContain(
      '0xc0100000-0xc03fffff     3 x 1MiB   PL1 rw-  PL0 ---  normal WBWA inner-shareable',
    );
  });

  it('counts leaves as the description of the dump does, in both formats', async () => {
    for (const tables of [short, lpae]) {
      const meta = openTableDump(tables).meta;
      const { roots } = (await json(tables)) as unknown as { roots: { leafCounts: object }[] };
      expect(roots.map(({ leafCounts }) => leafCounts)).toEqual(meta.roots.map((root) => root.leaf_counts));
    }
  });

  it('lists the ranges of one root with where they lead', async () => {
    const told = await lines(lpae, '--root', 'demo');
    expect(told.at(-1)).toBe(
      '  0xf0800000-0xf0800fff     1 x 4KiB   PL1 rw-  PL0 ---  device  at 0x09000000',
    );
    expect(told.filter((line) => line.startsWith('root '))).toHaveLength(1);
  });
});

describe('translate --diff-roots', () => {
  it('tells which entries of a task are not init_mm’s, and which of them a lazy fault mends', async () => {
    const told = await lines(short, '--diff-roots');
    expect(told.slice(0, 6)).toEqual([
      'root 0x40010000: TTBR0 of cpu0, task 42 demo: 4 kernel entries differ',
      "  vmalloc_seq 1, init_mm's is 2: check_vmalloc_seq copies vmalloc space at the next switch",
      '  level 1 entry 3056 (0xbf0), 0xbf000000',
      '    here     0x00000000  none',
      '    init_mm  0x40021801  page table  0x40021800',
      "    a lazy fault mends it: yes; none here: the first access faults, and init_mm's is copied",
    ]);
    expect(told[10]).toBe('  level 1 entry 3848 (0xf08), 0xf0800000');
    expect(told[13]).toBe(
      '    a lazy fault mends it: no; walks go on through the entry here, and no fault is taken',
    );
  });

  it('is JSON, for one root or all', async () => {
    const all = await json(lpae, '--diff-roots');
    expect(all.map(({ root, entries }) => [root, (entries as object[]).length])).toEqual([['0x40010040', 1]]);
    expect(await json(lpae, '--diff-roots', '--root', 'swapper_pg_dir')).toMatchObject([{ entries: [] }]);
  });
});

describe('translate refuses', () => {
  it.each([
    [2, 'VA_UNKNOWN', ['--va', 'c0008000'], 'did you mean "0xc0008000"?'],
    [2, 'VA_UNKNOWN', ['--va', 'swaper_pg_dir'], 'did you mean "swapper_pg_dir"?'],
    [2, 'VA_UNKNOWN', ['--va', 'constructor'], 'the symbols are: swapper_pg_dir'],
    [2, 'VA_TOO_HIGH', ['--va', '0x100000000'], '0xffffffff'],
    [2, 'CPU_OUT_OF_RANGE', ['--cpu', '2'], 'give --cpu 1'],
    [2, 'ROOT_UNKNOWN', ['--root', 'deno'], 'did you mean "demo"?'],
    [2, 'ROOT_UNKNOWN', ['--root', 'kthreadd'], 'swapper_pg_dir'],
    [2, 'ROOT_UNKNOWN', ['--root', '0x40010004'], 'did you mean "0x40010000"?'],
  ])('%i %s %o', async (exitCode, code, args, fix) => {
    const { status, stdout, stderr } = await translated(short, ...args);
    expect([status, stdout, stderr.split(':')[0]]).toEqual([exitCode, '', code]);
    expect(stderr).toContain(fix);
  });

  it('a name that two tasks have', async () => {
    const meta = JSON.parse(
      gunzipSync(readFileSync(join(dumps, 'short-tiny.meta.json.gz'))).toString('utf8'),
    ) as { tasks: object[] };
    meta.tasks.push({ pid: 43, comm: 'demo', pgd_pa: 0x4000_4000 });
    const tables = join(folder, 'x.ptpages.bin.gz');
    copyFileSync(short, tables);
    writeFileSync(join(folder, 'x.meta.json'), JSON.stringify(meta));
    const { status, stderr } = await translated(tables, '--root', 'demo');
    expect([status, stderr.split(':')[0]]).toEqual([2, 'ROOT_AMBIGUOUS']);
    expect(stderr).toContain('give the PID: 42, 43');
  });

  it('options that exclude each other, and an access that there is not', async () => {
    expect((await translated(short, '--diff-roots', '--va', '0')).status).toBe(2);
    expect((await translated(short, '--va', '0', '--access', 'run')).status).toBe(2);
    expect((await tablewalkHere('translate')).status).toBe(2);
  });
});

it('is a command: its exit code is 0 with a fault, 3 with a damaged dump, 2 without a file', () => {
  const told = tablewalk('translate', '--tables', 'machines/dumps/short-tiny.ptpages.bin.gz', '--va', '0');
  expect([told.status, told.stderr]).toEqual([0, '']);
  writeFileSync(join(folder, 'cut.ptpages.bin.gz'), readFileSync(short).subarray(0, 100));
  copyFileSync(join(dumps, 'short-tiny.meta.json.gz'), join(folder, 'cut.meta.json.gz'));
  const cut = tablewalk('translate', '--tables', join(folder, 'cut.ptpages.bin.gz'));
  expect([cut.status, cut.stdout, cut.stderr.split(':')[0]]).toEqual([3, '', 'TABLES_UNREADABLE']);
  const missing = tablewalk('translate', '--tables', 'no.ptpages.bin.gz');
  expect([missing.status, missing.stdout, missing.stderr.split(':')[0]]).toEqual([2, '', 'TABLES_MISSING']);
});

it('the example of docs/translating.md is what the command prints', async () => {
  const page = readFileSync(join(repositoryRoot, 'docs/translating.md'), 'utf8');
  const examples = [...page.matchAll(/^\$ npx tablewalk (translate .*)\n([\s\S]*?)^```$/gm)];
  expect(examples.length).toBeGreaterThan(1);
  for (const [, command = '', output = ''] of examples) {
    const args = command
      .split(' ')
      .map((arg) => (arg.startsWith('machines/') ? join(repositoryRoot, arg) : arg));
    const { status, stdout } = await tablewalkHere(...args);
    expect([status, stdout.replaceAll(repositoryRoot, '')]).toEqual([0, output]);
  }
});
