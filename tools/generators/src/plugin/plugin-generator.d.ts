import type { Tree } from '@nx/devkit';

declare const pluginGenerator: (tree: Tree, options: { slot: string; policy: string }) => Promise<void>;
export = pluginGenerator;
