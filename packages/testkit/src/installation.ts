import { SLOTS } from '@tablewalk/contracts';
import type { Manifest, SlotName } from '@tablewalk/contracts';
import type { Catalogue } from '@tablewalk/compose';

/**
 * Every plugin of the repository, found by looking at the folders: a new one is tested with all others
 * and as a neighbour of all others, without being told of anywhere.
 */
const modules = import.meta.glob<{ readonly default: Manifest }>('../../../plugins/*/src/index.ts', {
  eager: true,
});

const folderOf = (path: string): string => path.split('/').at(-3) as string;

/** Manifests by folder. */
export const installedPlugins: ReadonlyMap<string, Manifest> = new Map(
  Object.entries(modules)
    .map(([path, module]) => [folderOf(path), module.default] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** What a machine file may name: the plugins of the repository, and over them the given ones. */
export function catalogueWith(more: readonly Manifest[]): Catalogue {
  const byId = new Map([...installedPlugins, ...more.map((manifest) => [manifest.id, manifest] as const)]);
  const idsOf = (slot: SlotName): string[] =>
    [...byId.values()].filter((each) => each.slot === slot).map(({ id }) => id);
  return { get: (id) => byId.get(id), idsOf };
}

/** Slots of which a machine has exactly one plugin each. */
export const SINGLE_SLOTS = Object.keys(SLOTS).filter((slot) => slot !== 'checker') as Exclude<
  SlotName,
  'checker'
>[];
