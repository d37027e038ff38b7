import { PieceFlag } from '@tablewalk/contracts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openHistoryFile } from './history-file.ts';
import { batchRows, passes } from './inspection.ts';
import { replay } from '@tablewalk/compose';
import { simulatedStatistics, statsJson } from './report/statistics.ts';
import { lastPlace } from './standstill.ts';
import { tablewalk } from './testing/tablewalk.ts';

const folder = mkdtempSync(join(tmpdir(), 'tablewalk-inspection-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const TRACES = ['--trace', 'machines/traces/true.lk.gz', '--trace', 'machines/traces/ls.lk.gz'];
const SHORT = ['--set', 'memory.ram=400KiB', '--max-refs', '40000', '--checkpoint-every', '9000', '--quiet'];
function recorded(name: string, machine: string, ...more: string[]): string {
  const path = join(folder, name);
  const { stderr, status } = tablewalk(
    'run',
    machine,
    ...TRACES,
    ...SHORT,
    ...more,
    '--record',
    path,
    '--json',
  );
  expect([status === 0 || status === 1, stderr]).toEqual([true, '']);
  return path;
}

/** What maintenance counts lies between accesses. */
const BY_ACCESS =
  /\.(lookups|misses|evictions|walks|walkReads|accesses)\b|^cpu\d\.memory\.(reads|walkReads)$/;

describe.each([
  ['cortex-a9-smp', []],
  ['cortex-a15-smp', []],
  ['arm926-up', []],
  ['cortex-a9-smp', ['--set', 'slots.mmu-gather=mmu-gather-immediate', '--through-violations']],
  ['arm926-up', ['--set', 'slots.cache.accounting=pycachesim']],
])('every access of a run on %s %j', (machine, more) => {
  it('did together what the statistics say', async () => {
    const path = recorded('all.mcap', machine, ...more);
    const history = await openHistoryFile(path);
    const built = await history.build();
    const begin = lastPlace(
      history,
      built,
      () => false,
      () => expect.unreachable(),
    );
    expect(begin.standstill.world.facts).toBe(0);
    const names = built.dataPlane.counterNames;
    const sums: Record<string, number> = {};
    const add = (cpu: number, counters: readonly number[]): void => {
      for (let i = 0; i < counters.length; i += 2) {
        const name = `cpu${cpu}.${names[counters[i] ?? 0] ?? ''}`;
        sums[name] = (sums[name] ?? 0) + (counters[i + 1] ?? 0);
      }
    };
    let told = 0;
    for (const pass of passes(history, built, begin))
      pass.inspect(
        () => true,
        (_, { tlb, pieces, trap }) => {
          if (trap.kind === 0) told += 1;
          for (const { counters } of [{ counters: tlb }, ...pieces]) add(pass.row.cpu, counters);
          for (const { kind } of pieces) expect(kind).toBeLessThan(PieceFlag.continues);
        },
      );
    const end = replay(history, built, history.factCount);
    const statistics = statsJson(simulatedStatistics(end, names));
    expect(told).toBe(40_000);
    // Accesses that trapped before anything retired lie in no batch: what they counted is told by a batch of none.
    for (const { fact } of history.facts(0)) {
      const {
        type,
        count,
        cpu = 0,
        counters = [],
      } = fact as { type: string; count?: number; cpu?: number; counters?: number[] };
      if (type === 'BatchRetired' && count === 0) add(cpu, counters);
    }
    const counted = Object.entries(statistics).filter(([name]) => BY_ACCESS.test(name));
    expect(counted.length).toBeGreaterThan(10);
    for (const [name, value] of counted) expect([name, sums[name] ?? 0]).toEqual([name, value]);
  }, 60_000);
});

describe('replay --at BATCH:ACCESS', () => {
  it('says the same from the beginning and from a checkpoint', async () => {
    const history = await openHistoryFile(recorded('h.mcap', 'cortex-a9-smp'));
    expect(history.history.arenaSeqs.length).toBeGreaterThan(2);
    const rows = [...batchRows(history)];
    const wanted = rows.at(-3)?.number ?? 0;
    const effectsFrom = async (fits: (retired: number) => boolean): Promise<unknown[]> => {
      const built = await history.build();
      const place = lastPlace(
        history,
        built,
        ({ retired }) => fits(retired),
        () => expect.unreachable(),
      );
      const effects: unknown[] = [place.retired > 0];
      for (const pass of passes(history, built, place))
        if (pass.row.number === wanted)
          pass.inspect(
            () => true,
            (_, each) => effects.push(each),
          );
      return effects;
    };
    const [fromStart, ...all] = await effectsFrom(() => false);
    const [later, ...same] = await effectsFrom((retired) => retired <= wanted);
    expect([fromStart, later]).toEqual([false, true]);
    expect(all.length).toBeGreaterThan(0);
    expect(same).toEqual(all);
  });

  it('tells TLB, walk, pieces and the trap before', () => {
    const path = recorded('h.mcap', 'cortex-a9-smp');
    const list = JSON.parse(tablewalk('replay', path, '--batches', '--json').stdout) as {
      batches: { count: number }[];
    };
    const { count } = list.batches[0] ?? { count: 0 };
    const first = tablewalk('replay', path, '--at', '0:0').stdout;
    for (const text of [
      'itlb      miss',
      'level 1 descriptor at',
      'level 2 descriptor',
      'tried before',
      'icache  miss',
    ])
      expect(first).toContain(text);
    const trapped = tablewalk('replay', path, '--at', `0:${count}`).stdout;
    expect(trapped).toContain('trapped: translation fault');
    const json = JSON.parse(tablewalk('replay', path, '--at', '0:1', '--json').stdout) as Record<
      string,
      unknown
    >;
    expect(json).toMatchObject({ batch: 0, access: 1, cpu: 0, kind: 'load' });
    for (const at of [`0:${count + 1}`, '999999:0'])
      expect(tablewalk('replay', path, '--at', at)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('ACCESS_OUT_OF_RANGE') as string,
      });
  });
});
