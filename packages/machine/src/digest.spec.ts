import { expect, it } from 'vitest';
import { compareDigests } from './digest.ts';

it('holds the halves of two digests against each other, and the arenas only where their layout is one', () => {
  expect(compareDigests('ab-2.cd', 'ab-2.cd')).toBe('same');
  expect(compareDigests('ab-cd', 'ab-2.ef')).toBe('same-world');
  expect(compareDigests('ab-2.cd', 'ab-2.ef')).toBe('different');
  expect(compareDigests('ab-cd', 'ab-ef')).toBe('different');
  expect(compareDigests('ab-cd', 'xx-2.cd')).toBe('different');
});
