import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** Where this installation keeps its parts. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
export const pluginsFolder = join(root, 'plugins');
export const machinesFolder = join(root, 'machines');
export const VERSION = '0.1.0';
