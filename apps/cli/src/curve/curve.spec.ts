import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../install.ts';
import { tablewalkHere } from '../testing/tablewalk.ts';

const folder = mkdtempSync(join(tmpdir(), 'tablewalk-curve-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const TRACE = join(repositoryRoot, 'machines/traces/true.lk.gz');

/** Nothing faults and nothing is removed: what is missed is missed for the replacement. */
const MACHINE = join(folder, 'bare.yaml');
writeFileSync(
  MACHINE,
  `
slots:
  page-table: page-table-identity
  replacement: replacement-lru
  tlb: { use: tlb-set-associative, first: { unified: { entries: 4, pageSizes: [4KiB] } } }
  cache:
    use: cache-pipt
    instruction: { size: 128, ways: 4, line: 32 }
    data: { size: 128, ways: 4, line: 32 }
  mm: { use: mm-demand-paging, exit: keep }
`,
);

async function json(...args: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await tablewalkHere(...args, '--json', '--quiet');
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as unknown;
}

/** What real runs miss at each point of a sweep. */
async function missed(metric: string, ...sets: readonly string[]): Promise<(number | undefined)[]> {
  const flags = sets.flatMap((set) => ['--set', set]);
  const swept = (await json('sweep', MACHINE, '--trace', TRACE, '--zip', '--metric', metric, ...flags)) as {
    points: { metrics: Record<string, number> }[];
  };
  return swept.points.map(({ metrics }) => metrics[metric]);
}

interface CurveJson {
  readonly curves: readonly { readonly misses: readonly (readonly [number, number])[] }[];
}
async function curveAt(of: string, sizes: readonly number[], ...args: readonly string[]): Promise<number[]> {
  const at = sizes.flatMap((size) => ['--at', String(size)]);
  const { curves } = (await json('curve', of, '--trace', TRACE, ...at, ...args)) as CurveJson;
  return (curves[0]?.misses ?? []).map(([, misses]) => misses);
}

describe('one pass tells what runs of the machine miss, exactly', () => {
  it('fully associative TLBs', async () => {
    const sizes = [1, 2, 7, 16, 33, 64];
    const ran = await missed('tlb.misses', `slots.tlb.first.unified.entries=${sizes.join(',')}`);
    expect(await curveAt('tlb', sizes, '--stream', 'all')).toEqual(ran);
    expect(ran[0]).toBeGreaterThan(10 * (ran[5] as number));
  });

  it('TLBs of eight sets', async () => {
    const ways = [1, 2, 3, 8];
    const ran = await missed(
      'tlb.misses',
      `slots.tlb.first.unified.ways=${ways.join(',')}`,
      `slots.tlb.first.unified.entries=${ways.map((each) => each * 8).join(',')}`,
    );
    expect(await curveAt('tlb', ways, '--stream', 'all', '--sets', '8')).toEqual(ran);
  });

  it.each([
    ['icache', 'instruction'],
    ['dcache', 'data'],
  ])('fully associative caches: %s', async (structure, stream) => {
    const lines = [4, 16, 128];
    const ran = await missed(
      `${structure}.misses`,
      `slots.cache.${stream}.ways=${lines.join(',')}`,
      `slots.cache.${stream}.size=${lines.map((each) => each * 32).join(',')}`,
    );
    expect(await curveAt('cache', lines, '--stream', stream, '--unit', '32')).toEqual(ran);
  });
});

describe('a curve', () => {
  it('is a table of doublings, CSV and a drawing, of each trace by itself', async () => {
    const [csv, svg] = [join(folder, 'curve.csv'), join(folder, 'curve.svg')];
    const traces = ['--trace', TRACE, '--trace', join(repositoryRoot, 'machines/traces/ls.lk.gz')];
    const args = [...traces, '--stream', 'data', '--max-refs', '20000', '--csv', csv, '--plot', svg];
    const { status, stdout } = await tablewalkHere('curve', 'tlb', ...args);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^entries +reach +true\.lk\.gz misses +ratio +ls\.lk\.gz misses +ratio\n +1 +4KiB /,
    );
    const [head, ...rows] = readFileSync(csv, 'utf8').trim().split('\r\n');
    expect(head).toBe('entries,bytes,true.lk.gz,ls.lk.gz');
    const columns = rows.map((row) => row.split(',').map(Number));
    expect(columns.map(([size, bytes]) => [size, bytes])).toEqual(
      columns.map((_, i) => [2 ** i, 4096 * 2 ** i]),
    );
    for (const column of [2, 3])
      for (let i = 1; i < columns.length; i++)
        expect(columns[i]?.[column]).toBeLessThanOrEqual(columns[i - 1]?.[column] as number);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [^]*>true\.lk\.gz<[^]*>ls\.lk\.gz<[^]*<\/svg>\n$/);
  });

  it.each([
    [['tlb'], 'RUN_NO_WORK'],
    [['tlb', '--trace', TRACE, '--unit', '3000'], 'CURVE_UNIT'],
    [['cache', '--trace', TRACE, '--sets', '0'], 'CURVE_SETS'],
    [['tlb', '--trace', 'no-such-file'], 'TRACE_MISSING'],
  ])('is refused: %j', async (args, code) => {
    const { status, stderr } = await tablewalkHere('curve', ...args);
    expect(status).toBe(2);
    expect(stderr).toContain(`${code}:`);
  });
});
