import { cacheLinesKey } from '@tablewalk/contracts';
import type { KmapPlugin, View } from '@tablewalk/contracts';
import type { Never } from '@tablewalk/machine';

export const OUTLIVED_MAPPING = 'a dirty line has outlived the mapping that it was written through';

/** K5 of spec/kmap.md, 2.4: dirty lines stand only at addresses that lead to the page they belong to. */
export const outlivedMapping = (kmap: KmapPlugin): Never => ({
  rule: OUTLIVED_MAPPING,
  when: (view: View) =>
    view(cacheLinesKey).some((lines) =>
      lines.some(({ va, pa, dirty }) => dirty && kmap.pfnAt(view, va) !== Math.floor(pa / 4096)),
    ),
});
