import { walkerOf } from '@tablewalk/architecture';
import { FaultKind, newWalk, walkResult, WalkStage } from '@tablewalk/contracts';
import type { TableFormat } from '@tablewalk/contracts';
import { registersOf, walkStart, indexAt } from '@tablewalk/table-dump';
import type { TableDump } from '@tablewalk/table-dump';
import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machinesFolder } from '../install.ts';
import { answer } from './answer.ts';
import { formatOf, openTableDump } from './open.ts';
import { ACCESSES, accessOf, viewpoint } from './question.ts';

interface Sample {
  readonly dump: TableDump;
  readonly format: TableFormat;
}
const load = async (name: string): Promise<Sample> => {
  const dump = openTableDump(join(machinesFolder, 'dumps', `${name}.ptpages.bin.gz`));
  return { dump, format: await formatOf(dump, 0) };
};
const samples = { short: await load('short-tiny'), lpae: await load('lpae-tiny') };

/** Addresses where something is mapped, and any others. */
const address = fc.oneof(
  fc.nat({ max: 0xffff_ffff }),
  fc
    .record({
      page: fc.constantFrom(0x8, 0x9, 0xa, 0xb, 0xbf000, 0xbf001, 0xc0000, 0xc0200, 0xf0800),
      low: fc.nat({ max: 4095 }),
    })
    .map(({ page, low }) => page * 4096 + low),
);

describe.each(['short', 'lpae'] as const)('an answer, %s', (name) => {
  const { dump, format } = samples[name];

  it('agrees with the walk of a machine, whoever asks', () => {
    fc.assert(
      fc.property(
        ...[address, fc.constantFrom(...ACCESSES), fc.boolean(), fc.constantFrom('swapper_pg_dir', '42')],
        fc.nat({ max: 1 }),
        (va, kind, user, root, cpu) => {
          const view = viewpoint(dump, cpu, root);
          const access = accessOf(kind, user);
          const { outcome, steps } = answer(dump, format, view, va, access);
          if (outcome.kind === 'unknown') {
            // The one stale entry of the sample.
            expect([name, root, va >>> 21]).toEqual(['short', '42', 0xf080_0000 >>> 21]);
            return;
          }
          const regime = format.regime(view.registers);
          const result = walkResult();
          walkerOf(regime, format.wordBytes, dump.pages).walk(view.root, va, 0, result);
          expect(steps.map(({ pa }) => pa)).toEqual([...result.readPa.subarray(0, result.reads)]);
          if (result.status !== 0) {
            expect(outcome).toMatchObject({
              kind: 'fault',
              fault: result.fault,
              status: result.status,
              level: result.level,
            });
            return;
          }
          expect(outcome).toMatchObject({ base: result.pfn * 4096, shift: result.pageShift });
          const walk = newWalk();
          regime.begin(walk, va);
          for (const { lo, hi } of steps) regime.descend(walk, lo, hi);
          const fault = regime.check(walk, access);
          expect(outcome.kind).toBe(fault === FaultKind.none ? 'translated' : 'fault');
          const letters = user ? outcome.rights?.pl0 : outcome.rights?.pl1;
          expect(letters?.includes(kind === 'fetch' ? 'x' : (kind[0] as string))).toBe(
            fault === FaultKind.none,
          );
        },
      ),
      { numRuns: 400 },
    );
  });

  it('gives the reason of the TTBR that the regime takes, for any TTBCR', () => {
    const split = fc.record({ low: fc.nat({ max: 0xff }), high: fc.nat({ max: 0xff }) });
    fc.assert(
      fc.property(address, split, (va, { low, high }) => {
        const ttbcr = (name === 'lpae' ? 0x8000_0000 : 0) + high * 0x1_0000 + low;
        const bases = { TTBR0: 0x4000_0000n, TTBR1: 0x8000_0000n };
        const registers = { ...registersOf(dump, 0), ...bases, TTBCR: BigInt(ttbcr) };
        const start = walkStart(format, registers, va);
        const walk = newWalk();
        format.regime(registers).begin(walk, va);
        if (start.ttbr === 'none') {
          expect([walk.stage, walk.fault]).toEqual([WalkStage.fault, FaultKind.translation]);
          return;
        }
        const index = indexAt(format, start, start.level, va);
        expect([walk.level, walk.pa]).toEqual([
          start.level,
          Number(bases[start.ttbr]) + index * format.wordBytes,
        ]);
      }),
      { numRuns: 1000 },
    );
  });
});
