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

/** spec/caches-and-dma.md, 1: the physical address alone counts. */
describe('cache-pipt', () => {
  it('one page is one line under whatever address, in a cache of whatever size', () => {
    for (const size of ['16KiB', '64KiB'])
      expect(misses(size, [0x8000, 0x8001_0000], [0x9000, 0x8001_0000], [0xb000, 0x8001_0000])).toEqual([
        1, 0, 0,
      ]);
  });

  it('another process at the same address misses', () => {
    expect(misses('32KiB', [0x8000, 0x8001_0000], [0x8000, 0x8002_0000])).toEqual([1, 1]);
  });

  it('frames choose the set: five pages of one physical colour do not fit into four ways', () => {
    // Sets by PA[12:5] at 32 KiB: frames an even number apart meet.
    const five = [0, 2, 4, 6, 8].map((frame) => [0x8000 + frame * 4096, 0x8001_0000 + frame * 4096] as const);
    expect(misses('32KiB', ...five, ...five.slice(0, 1))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(misses('32KiB', ...five.slice(0, 4), ...five.slice(0, 1))).toEqual([1, 1, 1, 1, 0]);
  });
});
