import type { MachineConfig } from '@tablewalk/compose';
import type { Region } from '../region.ts';
import type { Failure } from '../workers/protocol.ts';
import type { SharedTrace } from './shared-trace.ts';

/** What a thread of a sweep begins with. */
export interface SweepAssignment {
  readonly traces: readonly SharedTrace[];
  readonly region: Region;
  /** References of the point under way that were supplied, a cell for each thread. */
  readonly progress: Float64Array;
  readonly index: number;
}

/** An order: run this machine on the traces. */
export interface RunPoint {
  readonly point: number;
  readonly config: MachineConfig;
  /** The machine file, from whose folder paths of plugins are taken. */
  readonly at: string;
}

/** What a machine came to. Everything in it depends on the machine and the traces alone. */
export interface PointRun {
  readonly status: 'finished' | 'violated';
  readonly facts: number;
  readonly digest: string;
  /** The names of stats.txt. */
  readonly statistics: Readonly<Record<string, number>>;
}

export type FromSweepThread =
  | { readonly kind: 'ran'; readonly point: number; readonly run: PointRun }
  | { readonly kind: 'failed'; readonly point: number; readonly failure: Failure };
