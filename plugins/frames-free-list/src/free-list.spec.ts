import type { FramesPlugin } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import type { SmallMachine } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const FIRST = 0x8000_0000 / 4096;
const labWith = (knobs: object, machine: SmallMachine = {}): Lab =>
  new Lab({
    cpus: 1,
    ram: '256KiB',
    ...machine,
    known: [manifest],
    slots: { frames: { use: manifest.id, ...knobs } },
  });
const take = (lab: Lab, count: number, order = 0): (number | undefined)[] =>
  Array.from({ length: count }, () => lab.do(0, lab.slots.frames.allocate('user', order)));

describe('frames-free-list', () => {
  it('a page that was freed last is handed out first (the per-CPU lists of mm/page_alloc.c are stacks)', () => {
    const lab = labWith({ order: 'ascending' });
    const { frames } = lab.slots;
    expect(take(lab, 3)).toEqual([FIRST, FIRST + 1, FIRST + 2]);
    for (const pfn of [FIRST, FIRST + 2]) lab.do(0, frames.free(pfn));
    expect(take(lab, 3)).toEqual([FIRST + 2, FIRST, FIRST + 3]);
  });

  it('pages never used come scattered by the seed, each once', () => {
    const scattered = (seed: number): (number | undefined)[] => take(labWith({}, { seed }), 56);
    expect([...scattered(1)].sort()).toEqual(Array.from({ length: 56 }, (_, i) => FIRST + i));
    expect(scattered(1)).toEqual(scattered(1));
    expect(scattered(1)).not.toEqual(scattered(2));
  });

  it('blocks come from the share at the top end, downwards', () => {
    const lab = labWith({ blockShare: 0.25 });
    expect(take(lab, 5, 2)).toEqual(
      [60, 56, 52, 48, undefined].map((page) => (page === undefined ? page : FIRST + page)),
    );
    lab.do(0, lab.slots.frames.free(FIRST + 56));
    expect(take(lab, 1, 1), 'another order does not split a freed block').toEqual([undefined]);
    expect(take(lab, 1, 2)).toEqual([FIRST + 56]);
  });

  it("the kernel's image at the start of RAM is not handed out, and counts for nothing", () => {
    const machine = { cpus: 1, ramBytes: 2 ** 18, ramBase: 0x8000_0000, seed: 1 };
    const framesOf = (imageBytes: object) =>
      manifest.create(manifest.config.parse({}), {} as never, { ...machine, ...imageBytes }) as FramesPlugin;
    const [whole, none, without] = [{}, { imageBytes: 0 }, { imageBytes: 0x8000 }].map(framesOf);
    expect([whole?.firstPfn, whole?.pages]).toEqual([FIRST, 64]);
    expect([none?.firstPfn, none?.pages]).toEqual([FIRST, 64]);
    expect([without?.firstPfn, without?.pages]).toEqual([FIRST + 8, 56]);
  });
});
