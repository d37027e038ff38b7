import { cacheLinesKey, loadLine, storeLine, vocabularyFacts } from '@tablewalk/contracts';
import type { CacheLine, CacheLinesState, CacheModelParts, CacheOperation, View } from '@tablewalk/contracts';
import { componentSuite, given } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { cacheModel } from './cache-model.ts';
import { maintainCache } from './cache-orders.ts';
import type { MaintainCache } from './cache-orders.ts';

const parts: CacheModelParts = { cpus: 1, linesPerPage: 2, evictions: [] };
const vivt = (more: Partial<CacheModelParts> = {}) =>
  cacheModel('va', 'write-back', { ...parts, ...more }).component;
const physical = (cpus: number, more: Partial<CacheModelParts> = {}) =>
  cacheModel('pa', 'write-back', { ...parts, cpus, ...more }).component;

const HALF = 2048;
const SLOT = 0xbfe0_0000;
const P = 0x8123_4000;
const Q = 0x8456_7000;
const dirtied = (va: number, pa: number, cpu = 0) => ({ type: 'CacheLineDirtied', cpu, va, pa }) as const;
const line = (va: number, pa: number, more: Partial<CacheLine> = {}): CacheLine => ({
  va,
  pa,
  dirty: true,
  stale: false,
  ...more,
});
const writtenBack = (va: number, pa: number, cpu = 0) =>
  ({ type: 'CacheLineWrittenBack', cpu, va, pa }) as const;
const dropped = (va: number, pa: number, meant: number, cpu = 0, dirty = true) =>
  ({ type: 'CacheLineDropped', cpu, va, pa, dirty, meant }) as const;

const byAddress = (
  operation: CacheOperation,
  va: number,
  pa: number,
  bytes: number,
  cpu = 0,
): MaintainCache => maintainCache({ cpu, operation, side: 'data', whole: false, va, pa, bytes });
const whole = (operation: CacheOperation, cpu = 0): MaintainCache =>
  maintainCache({ cpu, operation, side: 'data', whole: true, va: 0, pa: 0, bytes: 16384 });
const carriedOut = ({ type: _type, to: _to, ...order }: MaintainCache) =>
  ({ type: 'CacheMaintained', ...order }) as const;

/** ARM926EJ-S: spec/caches-and-dma.md, 1 and 2; spec/kmap.md, 3. */
describe('the model of a virtually tagged cache', () => {
  it('a store makes its line dirty, once, and lines stand in the order of their addresses', () => {
    given('cache', vivt())
      .when(storeLine(0, SLOT + HALF + 8, P + HALF + 8))
      .then(dirtied(SLOT + HALF, P + HALF));
    const told = given('cache', vivt());
    told.facts(dirtied(SLOT + HALF, P + HALF), dirtied(SLOT, P), dirtied(SLOT + HALF, P + HALF));
    told.holds([[line(SLOT, P), line(SLOT + HALF, P + HALF)]]);
  });

  it('what came by another way is the same state: no order of stores, no write-back is remembered', () => {
    const other = given('cache', vivt());
    other.facts(dirtied(SLOT, P), dirtied(SLOT + 4096, Q), writtenBack(SLOT, P));
    given('cache', vivt())
      .facts(dirtied(SLOT + 4096, Q))
      .holds(other.state);
  });

  it('invalidation by address of a slot that was recycled throws away the dirty line of another page', () => {
    const order = byAddress('invalidate', SLOT + HALF, P + HALF, HALF);
    given('cache', vivt())
      .facts(dirtied(SLOT, Q), dirtied(SLOT + HALF, Q + HALF))
      .when(order)
      .then(carriedOut(order), dropped(SLOT + HALF, Q + HALF, P + HALF));
  });

  it('an order finds every line that a byte of its range lies in, and is meant for what it says', () => {
    const order = byAddress('invalidate', SLOT + 100, P + 100, HALF);
    given('cache', vivt())
      .facts(dirtied(SLOT, P), dirtied(SLOT + HALF, P + HALF), dirtied(SLOT + 2 * HALF, Q))
      .when(order)
      .then(carriedOut(order), dropped(SLOT, P, P), dropped(SLOT + HALF, P + HALF, P + HALF));
    const nothing = byAddress('clean', SLOT, P, 0);
    given('cache', vivt()).facts(dirtied(SLOT, P)).when(nothing).then(carriedOut(nothing));
  });

  it('cleaning writes back, whether it invalidates or not; clean lines are nothing to lose', () => {
    for (const operation of ['clean', 'clean-invalidate'] as const) {
      const order = whole(operation);
      given('cache', vivt())
        .facts(dirtied(SLOT, P))
        .when(order)
        .then(carriedOut(order), writtenBack(SLOT, P));
      given('cache', vivt())
        .facts(dirtied(SLOT, P), writtenBack(SLOT, P))
        .when(order)
        .then(carriedOut(order));
    }
  });

  it('maintenance of the instruction side touches no dirty line', () => {
    const order = { ...whole('invalidate'), side: 'instruction' } as const;
    given('cache', vivt()).facts(dirtied(SLOT, P)).when(order).then(carriedOut(order));
  });

  it('a dirty line keeps the page that it will be written back to, whatever is mapped at its address', () => {
    given('cache', vivt())
      .facts(dirtied(SLOT, P))
      .when(storeLine(0, SLOT, Q))
      .then(dirtied(SLOT, P));
    const told = given('cache', vivt()).facts(dirtied(SLOT, P), dirtied(SLOT, Q));
    told.holds([[line(SLOT, P)]]);
  });

  it('one page under two addresses may be dirty twice (AL-2)', () => {
    const told = given('cache', vivt()).facts(dirtied(SLOT, P), dirtied(SLOT + 4096, P));
    expect(told.state[0]).toHaveLength(2);
  });

  it('may write a line back whenever it is dirty, where a story says so', () => {
    const component = vivt({ evictions: [{ cpu: 0, va: SLOT }] });
    const told = given('cache', component).facts(dirtied(SLOT + HALF, P + HALF));
    const view = ((key: { name: string }) =>
      key.name === cacheLinesKey.name && (told.state as CacheLinesState)) as View;
    expect(component.actions?.map(({ when }) => when?.(view))).toEqual([false, true]);
    told.when(component.actions?.[1]?.command as never).then(writtenBack(SLOT + HALF, P + HALF));
    expect(component.actions?.[1]).toMatchObject({
      actor: 'cache of CPU 0',
      label: 'writes back the line at va 0xbfe00800',
    });
    expect(vivt().actions).toEqual([]);
  });

  it('a write-through cache has no dirty line', () => {
    const { component } = cacheModel('va', 'write-through', parts);
    given('cache', component)
      .when(storeLine(0, SLOT, P))
      .then();
  });

  it('tells apart as many lines of a page as it is asked to', () => {
    const sixteenth = vivt({ linesPerPage: 16 });
    given('cache', sixteenth)
      .when(storeLine(0, SLOT + 300, P + 300))
      .then(dirtied(SLOT + 256, P + 256));
    for (const linesPerPage of [0, 3, 128]) expect(() => vivt({ linesPerPage })).toThrow(/power of two/);
  });
});

/** Cortex-A9: hardware keeps the data caches of the inner shareable domain coherent. */
describe('the model of physically tagged caches', () => {
  it('knows lines by physical address alone: two virtual addresses are one line', () => {
    const told = given('cache', physical(1)).facts(dirtied(SLOT, P), dirtied(SLOT + 4096, P));
    told.holds([[line(0, P)]]);
  });

  it('a store takes the dirty line over from another CPU', () => {
    const told = given('cache', physical(2)).facts(
      dirtied(SLOT, P, 0),
      dirtied(SLOT, Q, 0),
      dirtied(SLOT, P, 1),
    );
    told.holds([[line(0, Q)], [line(0, P)]]);
  });

  it('maintenance by address reaches every CPU and hits no other page; of the whole, only its own CPU', () => {
    const order = byAddress('invalidate', SLOT, P, 4096, 1);
    const told = given('cache', physical(2)).facts(dirtied(SLOT, P, 0), dirtied(SLOT, Q, 1));
    told.when(order).then(carriedOut(order), dropped(0, P, P, 0));
    told.when(whole('clean', 1)).then(carriedOut(whole('clean', 1)), writtenBack(0, Q, 1));
  });
});

/** Non-coherent DMA: spec/caches-and-dma.md, 4. */
describe('lines that a device knows nothing of', () => {
  const filled = (pa: number, cpu = 0, va = 0) => ({ type: 'CacheLineFilled', cpu, va, pa }) as const;
  const deviceWrote = (pa: number, bytes = 4096) => ({ type: 'DeviceWrote', pa, bytes }) as const;
  const staleRead = (pa: number, cpu = 0, va = 0) => ({ type: 'StaleLineRead', cpu, va, pa }) as const;

  it('a load brings its line, once, and it is as old as memory was then', () => {
    const told = given('cache', physical(1));
    told.when(loadLine(0, 0, P + HALF + 4)).then(filled(P + HALF));
    told.facts(filled(P + HALF)).holds([[line(0, P + HALF, { dirty: false })]]);
    told.when(loadLine(0, 0, P + HALF + 4)).then();
    told.facts(deviceWrote(P)).holds([[line(0, P + HALF, { dirty: false, stale: true })]]);
    told.when(loadLine(0, 0, P + HALF + 4)).then(staleRead(P + HALF));
    told.when(loadLine(0, 0, P)).then(filled(P));
  });

  it('only lines that a byte was written of are stale', () => {
    const told = given('cache', physical(1)).facts(filled(P), filled(P + HALF), filled(Q));
    told.facts(deviceWrote(P + HALF - 1, 1));
    told.holds([
      [
        line(0, P, { dirty: false, stale: true }),
        ...[P + HALF, Q].map((pa) => line(0, pa, { dirty: false })),
      ],
    ]);
  });

  it('a dirty line that is written back after the device wrote destroys what it wrote (DMA-3)', () => {
    const order = byAddress('clean', SLOT, P, HALF);
    const lost = { type: 'StaleLineWrittenBack', cpu: 0, va: 0, pa: P } as const;
    const told = given('cache', physical(1)).facts(dirtied(0, P), deviceWrote(P));
    told.when(order).then(carriedOut(order), writtenBack(0, P), lost);
    given('cache', physical(1))
      .facts(filled(P), deviceWrote(P), dirtied(0, P))
      .when(order)
      .then(carriedOut(order), writtenBack(0, P), lost);
  });

  it('invalidation throws a clean line away, stale or not; cleaning leaves it', () => {
    const told = given('cache', physical(1)).facts(filled(P), deviceWrote(P));
    for (const operation of ['invalidate', 'clean-invalidate'] as const) {
      const order = byAddress(operation, SLOT, P, HALF);
      told.when(order).then(carriedOut(order), dropped(0, P, P, 0, false));
    }
    const clean = byAddress('clean', SLOT, P, HALF);
    told.when(clean).then(carriedOut(clean));
  });

  it('a virtually tagged cache reads the stale line of its address alone', () => {
    const told = given('cache', vivt()).facts(filled(P, 0, SLOT), deviceWrote(P));
    told.when(loadLine(0, SLOT, P)).then(staleRead(P, 0, SLOT));
    told.when(loadLine(0, SLOT + 4096, P)).then(filled(P, 0, SLOT + 4096));
  });

  it('another CPU gets a copy of the line, as old as it is; a store leaves the one copy', () => {
    const told = given('cache', physical(2)).facts(filled(P, 0), deviceWrote(P));
    told.when(loadLine(1, 0, P)).then(filled(P, 1), staleRead(P, 1));
    const stale = line(0, P, { dirty: false, stale: true });
    told.facts(filled(P, 1)).holds([[stale], [stale]]);
    told.facts(dirtied(0, P, 1)).holds([[], [{ ...stale, dirty: true }]]);
  });

  it('may fetch a line that it does not have at any time, where a story says so', () => {
    const prefetches = [
      { cpu: 0, va: P },
      { cpu: 1, va: P },
    ];
    const component = physical(1, { prefetches });
    const told = given('cache', component).facts(filled(P + HALF));
    const view = (() => told.state) as unknown as View;
    const { actions = [] } = component;
    expect(actions.map(({ when }) => when?.(view))).toEqual([true, false]);
    expect(actions[0]?.label).toBe('prefetches the line at pa 0x81234000');
    told.when(actions[0]?.command as never).then(filled(P));
    expect(() => vivt({ prefetches })).toThrow(/does not prefetch/);
  });
});

componentSuite({ name: 'cache', component: vivt(), schemas: vocabularyFacts, cpus: 1 });
componentSuite({ name: 'cache', component: physical(2), schemas: vocabularyFacts, cpus: 2 });
