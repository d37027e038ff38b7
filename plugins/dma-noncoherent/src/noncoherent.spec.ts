import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const P = 0x90001;
const context = { cpu: 0, args: [] };

/** arch/arm/mm/dma-mapping.c, dma_cache_maint_page; spec/kmap.md, 3.1. */
describe('dma-noncoherent', () => {
  const newLab = (linesPerPage: number): Lab =>
    new Lab({
      cpus: 1,
      slots: {
        dma: { use: manifest.id, linesPerPage },
        kmap: { use: 'kmap-pkmap-pinned', slots: 4 },
        cache: 'cache-vivt',
      },
    });

  it('pins, goes through the lines, one step each, and lets go', () => {
    const lab = newLab(4);
    const va = lab.do(0, lab.slots.kmap.map(context, P, 0));
    const from = lab.facts.length;
    lab.do(0, lab.slots.dma.mapPage(context, P, 'from-device'));
    const types = lab.facts.slice(from).map(({ fact }) => fact.type);
    const maintained = lab.factsOf<VocabularyFactOf<'CacheMaintained'>>('CacheMaintained', from);
    expect(types.indexOf('PkmapTaken')).toBeLessThan(types.indexOf('CacheMaintained'));
    expect(types.lastIndexOf('CacheMaintained')).toBeLessThan(types.indexOf('PkmapReleased'));
    expect(maintained.map(({ fact }) => fact.va - va)).toEqual([0, 1024, 2048, 3072]);
  });

  it('refuses lines that do not divide a page', () => {
    for (const linesPerPage of [0, 3, 2048])
      expect(manifest.config.safeParse({ linesPerPage }).success, `${linesPerPage}`).toBe(false);
  });
});
