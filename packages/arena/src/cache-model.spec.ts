import { dirtyLinesKey, storeLine, vocabularyFacts } from '@tablewalk/contracts';
import type { CacheModelParts, CacheOperation, DirtyLinesState, View } from '@tablewalk/contracts';
import { componentSuite, given } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { cacheModel } from './cache-model.ts';
import { maintainCache } from './cache-orders.ts';
import type { MaintainCache } from './cache-orders.ts';

const parts: CacheModelParts = { cpus: 1, linesPerPage: 2, evictions: [] };
const vivt = (more: Partial<CacheModelParts> = {}) =>
  cacheModel('va', 'write-back', { ...parts, ...more }).component;
const physical = (cpus: number) => cacheModel('pa', 'write-back', { ...parts, cpus }).component;

const HALF = 2048;
const SLOT = 0xbfe0_0000;
const P = 0x8123_4000;
const Q = 0x8456_7000;
const dirtied = (va: number, pa: number, cpu = 0) => ({ type: 'CacheLineDirtied', cpu, va, pa }) as const;
const writtenBack = (va: number, pa: number, cpu = 0) =>
  ({ type: 'CacheLineWrittenBack', cpu, va, pa }) as const;
const dropped = (va: number, pa: number, meant: number, cpu = 0) =>
  ({ type: 'CacheLineDropped', cpu, va, pa, dirty: true, meant }) as const;

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
    told.holds([
      [
        { va: SLOT, pa: P },
        { va: SLOT + HALF, pa: P + HALF },
      ],
    ]);
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
    told.holds([[{ va: SLOT, pa: P }]]);
  });

  it('one page under two addresses may be dirty twice (AL-2)', () => {
    const told = given('cache', vivt()).facts(dirtied(SLOT, P), dirtied(SLOT + 4096, P));
    expect(told.state[0]).toHaveLength(2);
  });

  it('may write a line back whenever it is dirty, where a story says so', () => {
    const component = vivt({ evictions: [{ cpu: 0, va: SLOT }] });
    const told = given('cache', component).facts(dirtied(SLOT + HALF, P + HALF));
    const view = ((key: { name: string }) =>
      key.name === dirtyLinesKey.name && (told.state as DirtyLinesState)) as View;
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
    told.holds([[{ va: 0, pa: P }]]);
  });

  it('a store takes the dirty line over from another CPU', () => {
    const told = given('cache', physical(2)).facts(
      dirtied(SLOT, P, 0),
      dirtied(SLOT, Q, 0),
      dirtied(SLOT, P, 1),
    );
    told.holds([[{ va: 0, pa: Q }], [{ va: 0, pa: P }]]);
  });

  it('maintenance by address reaches every CPU and hits no other page; of the whole, only its own CPU', () => {
    const order = byAddress('invalidate', SLOT, P, 4096, 1);
    const told = given('cache', physical(2)).facts(dirtied(SLOT, P, 0), dirtied(SLOT, Q, 1));
    told.when(order).then(carriedOut(order), dropped(0, P, P, 0));
    told.when(whole('clean', 1)).then(carriedOut(whole('clean', 1)), writtenBack(0, Q, 1));
  });
});

componentSuite({ name: 'cache', component: vivt(), schemas: vocabularyFacts, cpus: 1 });
componentSuite({ name: 'cache', component: physical(2), schemas: vocabularyFacts, cpus: 2 });
