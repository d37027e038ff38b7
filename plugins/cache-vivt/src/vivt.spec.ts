import { AccessKind, translatedBatch } from '@tablewalk/contracts';
import { openMachine } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

/** Misses of loads from these places, one after the other, on a cache of this size with 4 ways of 32-byte lines. */
function misses(size: string, ...places: readonly (readonly [va: number, pa: number])[]): number[] {
  const data = { size, ways: 4, line: 32 };
  const machine = { cpus: 1, known: [manifest], slots: { cache: { use: manifest.id, data } } };
  const engine = openMachine(machine).slots.cache.engine();
  const counter = engine.counterNames.indexOf('dcache.misses::R');
  return places.map(([va, pa]) => {
    const before = engine.counters(0)[counter] as number;
    const batch = translatedBatch(1);
    batch.count = 1;
    batch.kind[0] = AccessKind.load;
    [batch.vaLo[0], batch.paLo[0], batch.size[0]] = [va, pa, 4];
    engine.run(0, batch);
    return (engine.counters(0)[counter] as number) - before;
  });
}

/** spec/caches-and-dma.md, 1: no translation on the way to a line, so addresses are taken at their word. */
describe('cache-vivt', () => {
  it('homonym: another process at the same address hits the line of the one before, so a switch flushes', () => {
    expect(misses('16KiB', [0x8000, 0x8001_0000], [0x8000, 0x8002_0000])).toEqual([1, 0]);
  });

  it('synonym: one page under two addresses stands in the cache twice, whatever their colours', () => {
    expect(misses('16KiB', [0x8000, 0x8001_0000], [0x9000, 0x8001_0000], [0x1_8000, 0x8001_0000])).toEqual([
      1, 1, 1,
    ]);
  });

  it('refuses more than one CPU: nothing would keep the caches coherent', () => {
    const machine = { cpus: 2, ramBytes: 2 ** 26, ramBase: 0, seed: 1 };
    expect(manifest.refuses?.(manifest.config.parse({}), machine)).toMatch(/coherent/);
    expect(manifest.refuses?.(manifest.config.parse({}), { ...machine, cpus: 1 })).toBeUndefined();
  });
});
