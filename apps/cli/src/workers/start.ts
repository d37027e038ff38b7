import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';
import { repositoryRoot } from '../install.ts';
import { runningBundle } from '../launch/loading.ts';

const START = join(repositoryRoot, 'apps/cli/src/workers/start.mjs');

/**
 * Starts a thread of `threads.ts`. It runs the very code that this one runs, so every plugin that it will need has
 * been loaded here before.
 */
export function startThread(
  name: 'explore' | 'sweep',
  options: Pick<WorkerOptions, 'workerData' | 'transferList'>,
): Worker {
  const bundle = runningBundle();
  const of = bundle === undefined ? [] : [{ folder: bundle.folder, use: bundle.use }];
  return new Worker(START, { ...options, argv: [name, ...of].map((each) => JSON.stringify(each)) });
}
