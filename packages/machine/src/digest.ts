/**
 * A machine's digest is `<world>-<layout>.<arenas>`. The arenas' half depends on how engines lay out what they
 * hold, which may change from version to version; `layout` counts those changes. Absent: the first.
 */
export type DigestVerdict = 'same' | 'same-world' | 'different';

/** Holds two digests against each other. Halves of different layouts cannot be compared: `same-world`. */
export function compareDigests(a: string, b: string): DigestVerdict {
  if (a === b) return 'same';
  const [one, other] = [partsOf(a), partsOf(b)];
  return one.world === other.world && one.layout !== other.layout ? 'same-world' : 'different';
}

function partsOf(digest: string): { world: string; layout: string } {
  const [world = '', arenas = ''] = digest.split('-');
  const [layout, hex] = arenas.split('.');
  return { world, layout: hex === undefined ? '1' : (layout ?? '') };
}
