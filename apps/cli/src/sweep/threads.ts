import type { Worker } from 'node:worker_threads';
import { failureOf } from '../workers/protocol.ts';
import { startThread } from '../workers/start.ts';
import type { FromSweepThread, RunPoint, SweepAssignment } from './protocol.ts';

/** Threads that run points, as many at a time as there are threads. A point is told when it is done, in any order. */
export class SweepThreads {
  /** References supplied to each thread's point so far. */
  private readonly progress: Float64Array;
  private readonly threads = new Set<Worker>();
  private readonly queue: RunPoint[];
  private stopped = false;
  private finish: () => void = () => undefined;
  private fail: (error: unknown) => void = () => undefined;
  private readonly finished = new Promise<void>((resolve, reject) => {
    this.finish = resolve;
    this.fail = reject;
  });

  constructor(
    private readonly size: number,
    private readonly assignment: Omit<SweepAssignment, 'index' | 'progress'>,
    points: readonly RunPoint[],
    private readonly onDone: (message: FromSweepThread) => void,
  ) {
    this.progress = new Float64Array(new SharedArrayBuffer(size * Float64Array.BYTES_PER_ELEMENT));
    this.queue = [...points];
  }

  /** Runs until every point is done, or `stop` was called. */
  async run(): Promise<void> {
    for (let index = 0; index < this.size && this.queue.length > 0; index++) this.begin(index);
    if (this.threads.size === 0) return;
    await this.finished;
  }

  /** Ends the threads; a point that is not done will be run again another time. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.threads].map((thread) => thread.terminate()));
    this.finish();
  }

  /** References of the points that are under way. */
  get references(): number {
    return this.progress.reduce((sum, each) => sum + each, 0);
  }

  private begin(index: number): void {
    const { progress } = this;
    progress[index] = 0;
    const workerData: SweepAssignment = { ...this.assignment, progress, index };
    const thread = startThread('sweep', { workerData });
    this.threads.add(thread);
    let current: RunPoint | undefined;
    const next = (): void => {
      current = this.queue.shift();
      if (current !== undefined) thread.postMessage(current);
      else void thread.terminate();
    };
    thread.on('message', (message: FromSweepThread) => {
      if (this.done(message)) next();
    });
    // A thread that breaks down takes its point with it, not the sweep.
    const broken = (error: unknown): void => {
      if (this.stopped || current === undefined) return;
      const { point } = current;
      current = undefined;
      this.done({ kind: 'failed', point, failure: failureOf(error) });
    };
    thread.on('error', broken);
    thread.on('exit', (code) => {
      broken(new Error(`a thread of the sweep ended with ${code}`));
      this.threads.delete(thread);
      if (this.stopped) return;
      if (this.queue.length > 0) this.begin(index);
      else if (this.threads.size === 0) this.finish();
    });
    next();
  }

  /** Tells of a point; false when nothing more is to be run. */
  private done(message: FromSweepThread): boolean {
    if (this.stopped) return false;
    try {
      this.onDone(message);
      return true;
    } catch (error) {
      this.fail(error);
      void this.stop();
      return false;
    }
  }
}
