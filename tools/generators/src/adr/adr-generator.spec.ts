import { createTree } from '@nx/devkit/testing';
import { describe, expect, it } from 'vitest';
import adrGenerator from './adr-generator.js';

describe('the adr generator', () => {
  it('takes the number after the highest, also where one is missing', async () => {
    const tree = createTree();
    for (const name of ['0001-a.md', '0007-b.md', 'README.md']) tree.write(`docs/adr/${name}`, name);
    await adrGenerator(tree, { title: 'Batches end at a trap.' });
    expect(tree.children('docs/adr').sort()).toEqual([
      '0001-a.md',
      '0007-b.md',
      '0008-batches-end-at-a-trap.md',
      'README.md',
    ]);
    const text = tree.read('docs/adr/0008-batches-end-at-a-trap.md', 'utf8') ?? '';
    expect(text.split('\n')[0]).toBe('# 8. Batches end at a trap');
    for (const part of [
      'Status',
      'Context',
      'Options',
      'Decision',
      'Consequences',
      'What would change our mind',
    ])
      expect(text).toContain(part);
  });

  it('begins with 1', async () => {
    const tree = createTree();
    await adrGenerator(tree, { title: 'No build step' });
    expect(tree.exists('docs/adr/0001-no-build-step.md')).toBe(true);
  });
});
