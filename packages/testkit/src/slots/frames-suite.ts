import type { Fact, FrameUse, Manifest } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import { inSlot } from '../small-machine.ts';
import type { Knobs } from '../small-machine.ts';

export interface FramesSupport {
  readonly knobs?: readonly Knobs[];
  /** Largest order of a block. */
  readonly orderMax?: number;
}

type Allocated = Fact & { type: 'PageAllocated'; pfn: number; order: number };
type Freed = Fact & { type: 'PageFreed'; pfn: number; order: number };

/** A page is in one pair of hands at a time. Held against a set of pages. */
export function framesSuite(manifest: Manifest, { knobs = [{}], orderMax = 2 }: FramesSupport = {}): void {
  describe.each(knobs)(`slot frames: ${manifest.id} %j`, (knob) => {
    const newLab = (ram = '256KiB', seed = 1): Lab =>
      new Lab({ cpus: 1, ram, seed, ...inSlot(manifest, knob) });

    it('never hands out a page twice, and only what is RAM; blocks are aligned to their size', () => {
      hold(
        fc.property(
          fc.array(operation(orderMax), { maxLength: 120 }),
          fc.integer({ min: 1, max: 99 }),
          (operations, seed) => {
            const hands = new Hands(newLab('256KiB', seed));
            for (const each of operations) hands.apply(each);
          },
        ),
        40,
      );
    });

    it('hands out exactly as many single pages as it says are free, and all of them again when they came back', () => {
      const lab = newLab();
      const hands = new Hands(lab);
      const { frames } = lab.slots;
      const free = frames.freePages(lab.view);
      for (let turn = 0; turn < 2; turn++) {
        for (let i = free; i > 0; i--) {
          expect(frames.freePages(lab.view)).toBe(i);
          expect(hands.allocate(0, 'user')).not.toBeUndefined();
        }
        expect(hands.allocate(0, 'user')).toBeUndefined();
        expect(frames.freePages(lab.view)).toBe(0);
        hands.freeAll();
        expect(frames.freePages(lab.view)).toBe(free);
      }
    });

    it('tells whose page a frame holds, and of pages that are not user pages nothing', () => {
      const lab = newLab();
      const { frames } = lab.slots;
      const mine = lab.do(0, frames.allocate('user', 0, { mm: 3, va: 0x5000 })) as number;
      const table = lab.do(0, frames.allocate('page-table', 0)) as number;
      expect(frames.userPage(lab.view, mine)).toEqual({ mm: 3, va: 0x5000 });
      expect(frames.userPage(lab.view, table)).toBeUndefined();
      lab.do(0, frames.free(mine));
      expect(frames.userPage(lab.view, mine)).toBeUndefined();
    });
  });
}

type Operation =
  | { readonly kind: 'allocate'; readonly order: number; readonly use: FrameUse }
  | { readonly kind: 'free'; readonly which: number };
const operation = (orderMax: number): fc.Arbitrary<Operation> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('allocate' as const),
      order: fc.oneof(fc.constant(0), fc.nat(orderMax)),
      use: fc.constantFrom<FrameUse>('user', 'page-table', 'kernel'),
    }),
    fc.record({ kind: fc.constant('free' as const), which: fc.nat(1000) }),
  );

/** Who has what: the naive reference. */
class Hands {
  private readonly owned = new Set<number>();
  private readonly blocks: { readonly pfn: number; readonly order: number }[] = [];

  constructor(private readonly lab: Lab) {}

  apply(each: Operation): void {
    if (each.kind === 'allocate') this.allocate(each.order, each.use);
    else if (this.blocks.length > 0) this.free(each.which % this.blocks.length);
  }

  allocate(order: number, use: FrameUse): number | undefined {
    const { frames } = this.lab.slots;
    const from = this.lab.facts.length;
    const pfn = this.lab.do(0, frames.allocate(use, order, { mm: 1, va: 0x1000 }));
    const [allocated] = this.lab.factsOf<Allocated>('PageAllocated', from);
    const failed = this.lab.factsOf('AllocationFailed', from);
    expect([pfn, failed.length]).toEqual(pfn === undefined ? [undefined, 1] : [allocated?.fact.pfn, 0]);
    if (pfn === undefined) return undefined;
    expect(allocated?.fact.order).toBe(order);
    expect(pfn % 2 ** order, `alignment of block ${pfn} of order ${order}`).toBe(0);
    for (let page = pfn; page < pfn + 2 ** order; page++) {
      expect(page >= frames.firstPfn && page < frames.firstPfn + frames.pages, `page ${page} is RAM`).toBe(
        true,
      );
      expect(this.owned.has(page), `page ${page} is handed out a second time`).toBe(false);
      this.owned.add(page);
    }
    this.blocks.push({ pfn, order });
    return pfn;
  }

  free(which: number): void {
    const [block] = this.blocks.splice(which, 1);
    if (block === undefined) return;
    const { pfn, order } = block;
    const from = this.lab.facts.length;
    this.lab.do(0, this.lab.slots.frames.free(pfn));
    expect(this.lab.factsOf<Freed>('PageFreed', from).map(({ fact }) => fact)).toEqual([
      { type: 'PageFreed', pfn, order },
    ]);
    for (let page = pfn; page < pfn + 2 ** order; page++) this.owned.delete(page);
  }

  freeAll(): void {
    while (this.blocks.length > 0) this.free(0);
  }
}
