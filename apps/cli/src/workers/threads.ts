import { runPoints } from '../sweep/thread.ts';
import { runShard } from './thread.ts';

/** What threads run, by name; see `start.ts`. */
export const THREADS: Readonly<Record<'explore' | 'sweep', () => Promise<void> | void>> = {
  explore: runShard,
  sweep: runPoints,
};
