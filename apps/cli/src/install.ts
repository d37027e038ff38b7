import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** Where this installation keeps its parts. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));
export const pluginsFolder = join(repositoryRoot, 'plugins');
export const machinesFolder = join(repositoryRoot, 'machines');
export const VERSION = '0.1.0';
