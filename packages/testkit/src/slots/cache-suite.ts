import { AccessKind, cpusKey, translatedBatch } from '@tablewalk/contracts';
import type { CacheEngine, Fact, Manifest, TranslatedBatch } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import { inSlot, machineAround, openMachine } from '../small-machine.ts';
import type { Knobs } from '../small-machine.ts';
import { cacheModelSuite } from './cache-model.ts';

export interface CacheSupport {
  readonly knobs?: readonly Knobs[];
  /** What switch_mm must do with the caches. Default: nothing. */
  readonly onSwitch?: 'nothing' | 'everything';
  /** Must the lines of a page be flushed before it is unmapped? Default false. */
  readonly flushesPages?: boolean;
}

type Maintained = Fact & {
  type: 'CacheMaintained';
  cpu: number;
  whole: boolean;
  va: number;
  pa: number;
  bytes: number;
};

/** A cache counts what goes by, depends on nothing else, and obeys maintenance. */
export function cacheSuite(
  manifest: Manifest,
  { knobs = [{}], onSwitch = 'nothing', flushesPages = false }: CacheSupport = {},
): void {
  const cpus = machineAround(manifest).cpus ?? 1;

  describe.each(knobs)(`slot cache: ${manifest.id} %j`, (knob) => {
    const newEngine = (): CacheEngine =>
      openMachine({ cpus, ...inSlot(manifest, knob) }).slots.cache.engine();
    const totals = (engine: CacheEngine, cpu: number): Map<string, number> =>
      new Map(engine.counterNames.map((name, i) => [name, engine.counters(cpu)[i] ?? 0]));
    const misses = (engine: CacheEngine): number =>
      [...totals(engine, 0)].reduce(
        (sum, [name, count]) => sum + (/misses::[IRW]/.test(name) ? count : 0),
        0,
      );

    it('says the same however a batch is cut', () => {
      hold(
        fc.property(fc.array(piece, { minLength: 2, maxLength: 60 }), fc.nat(100), (pieces, cut) => {
          const [whole, cutUp] = [newEngine(), newEngine()];
          const at = 1 + (cut % (pieces.length - 1));
          whole.run(0, batchOf(pieces));
          cutUp.run(0, batchOf(pieces.slice(0, at)));
          cutUp.run(0, batchOf(pieces.slice(at)));
          expect(totals(cutUp, 0)).toEqual(totals(whole, 0));
          expect([cutUp.digest(), cutUp.outcomeWord(0)]).toEqual([whole.digest(), whole.outcomeWord(0)]);
        }),
        40,
      );
    });

    it('counts no more misses than accesses, never backwards, and on the CPU whose they are', () => {
      hold(
        fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
          const engine = newEngine();
          for (const each of pieces) {
            const before = totals(engine, 0);
            engine.run(0, batchOf([each]));
            for (const [name, count] of totals(engine, 0))
              expect(count, name).toBeGreaterThanOrEqual(before.get(name) ?? 0);
          }
          for (const [name, count] of totals(engine, 0)) {
            const accesses = totals(engine, 0).get(name.replace('.misses::', '.accesses::'));
            if (accesses !== undefined) expect(count, name).toBeLessThanOrEqual(accesses);
          }
          if (cpus > 1) expect([...totals(engine, 1).values()].every((count) => count === 0)).toBe(true);
        }),
        40,
      );
    });

    it('hits what was just read, and misses it again after everything was invalidated', () => {
      const engine = newEngine();
      const read = batchOf([{ kind: AccessKind.load, page: 1, offset: 0x40, size: 4 }]);
      engine.run(0, read);
      const once = misses(engine);
      expect(once).toBeGreaterThan(0);
      engine.run(0, read);
      expect(misses(engine)).toBe(once);
      const [, dropped] = engine.maintain(0, { operation: 'clean-invalidate', side: 'both' });
      expect(dropped).toBeGreaterThan(0);
      engine.run(0, read);
      expect(misses(engine)).toBeGreaterThan(once);
    });

    it('has nothing left to write back after a clean, and nothing at all after an invalidation', () => {
      hold(
        fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
          const engine = newEngine();
          engine.run(0, batchOf(pieces));
          const [, droppedByClean] = engine.maintain(0, { operation: 'clean', side: 'both' });
          expect(droppedByClean).toBe(0);
          expect(engine.maintain(0, { operation: 'clean', side: 'both' })[0]).toBe(0);
          expect(engine.maintain(0, { operation: 'clean-invalidate', side: 'both' })[0]).toBe(0);
          expect(engine.maintain(0, { operation: 'clean-invalidate', side: 'both' })).toEqual([0, 0]);
        }),
        30,
      );
    });

    const onUnmap = flushesPages ? 'its lines' : 'nothing';
    it(`does at a context switch: ${onSwitch}; before a page is unmapped: ${onUnmap}`, () => {
      const lab = new Lab({ cpus, ram: '512KiB', ...inSlot(manifest, knob) });
      const { cache } = lab.slots;
      lab.do(0, cache.switchMm({ cpu: 0, args: [] }));
      const orders = lab.factsOf<Maintained>('CacheMaintained').map(({ fact }) => fact);
      expect(orders.length > 0).toBe(onSwitch === 'everything');
      expect(orders.every(({ cpu, whole }) => cpu === 0 && whole)).toBe(true);
      const from = lab.facts.length;
      lab.do(0, cache.flushPage({ cpu: 0, args: [] }, 1, 0x8000, 0x80123));
      const flushed = lab.factsOf<Maintained>('CacheMaintained', from).map(({ fact }) => fact);
      expect(flushed.map(({ cpu, va, pa, bytes }) => [cpu, va, pa, bytes])).toEqual(
        flushesPages ? [[0, 0x8000, 0x8012_3000, 4096]] : [],
      );
      expect(lab.view(cpusKey)[0]?.irqsOff).toBe(0);
    });

    const newPlugin = () => openMachine({ cpus: 1, ...inSlot(manifest, knob) }).slots.cache;
    if (newPlugin().model !== undefined) cacheModelSuite(newPlugin);
  });
}

interface CachePiece {
  readonly kind: number;
  readonly page: number;
  readonly offset: number;
  readonly size: number;
}
const piece: fc.Arbitrary<CachePiece> = fc.record({
  kind: fc.constantFrom(
    AccessKind.fetch,
    AccessKind.load,
    AccessKind.store,
    AccessKind.modify,
    AccessKind.walk,
  ),
  page: fc.nat(20),
  offset: fc.nat(4096 - 8).map((offset) => offset - (offset % 4)),
  size: fc.constantFrom(1, 2, 4, 8),
});

/** Virtual page n lies in frame 0x80000 + 3n: the same page offset, other cache colours. A walk is physical. */
function batchOf(pieces: readonly CachePiece[]): TranslatedBatch {
  const batch = translatedBatch(pieces.length);
  pieces.forEach(({ kind, page, offset, size }, i) => {
    const pa = (0x80000 + 3 * page) * 4096 + offset;
    batch.kind[i] = kind;
    batch.vaLo[i] = kind === AccessKind.walk ? pa : (8 + page) * 4096 + offset;
    batch.paLo[i] = pa;
    batch.size[i] = size;
  });
  batch.count = pieces.length;
  return batch;
}
