import type { Tree } from '@nx/devkit';

declare const adrGenerator: (tree: Tree, options: { title: string }) => Promise<void>;
export = adrGenerator;
