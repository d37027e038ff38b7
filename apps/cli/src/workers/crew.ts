import type { Order, Report } from '@tablewalk/explore';
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort, Worker } from 'node:worker_threads';
import { errorOf } from './protocol.ts';
import type { Assignment, Counts, FromThread } from './protocol.ts';
import { startThread } from './start.ts';

interface Pending {
  readonly reports: Map<number, Report>;
  readonly resolve: (reports: readonly Report[]) => void;
  readonly reject: (error: Error) => void;
}

/** Threads that search together, each with a shard. Orders go to all of them, one after the other. */
export class Crew {
  private readonly threads: readonly Worker[];
  private readonly counts = new Map<number, Counts>();
  private pending: Pending | undefined;
  private failure: Error | undefined;

  constructor(
    size: number,
    assignment: Omit<Assignment, 'index' | 'ports'>,
    private readonly onProgress: (counts: Counts) => void,
  ) {
    const ports = meshOf(size);
    this.threads = ports.map((own, index) => {
      const workerData: Assignment = { ...assignment, index, ports: own };
      const transferList = own.filter((port) => port !== undefined);
      const thread = startThread('explore', { workerData, transferList });
      thread.on('message', (message: FromThread) => this.hear(index, message));
      thread.on('error', (error) => this.fail(error));
      thread.on('exit', (code) => this.fail(new Error(`a thread of the search ended with ${code}`)));
      return thread;
    });
  }

  /** What all have to report of an order, when the last of them has carried it out. */
  carryOut(order: Order): Promise<readonly Report[]> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      this.pending = { reports: new Map(), resolve, reject };
      for (const thread of this.threads) thread.postMessage(order);
    });
  }

  /** Ends the threads, whatever they are doing. */
  async dismiss(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private hear(index: number, message: FromThread): void {
    if (message.kind === 'failed') this.fail(errorOf(message.failure));
    else if (message.kind === 'report') this.note(index, message.report);
    else {
      this.counts.set(index, message.counts);
      const sum = (count: keyof Counts): number =>
        [...this.counts.values()].reduce((all, counts) => all + counts[count], 0);
      this.onProgress({ states: sum('states'), transitions: sum('transitions'), frontier: sum('frontier') });
    }
  }

  private note(index: number, report: Report): void {
    const { pending, threads } = this;
    if (pending === undefined) return;
    pending.reports.set(index, report);
    if (pending.reports.size < threads.length) return;
    this.pending = undefined;
    pending.resolve(threads.map((_, i) => pending.reports.get(i) as Report));
  }

  /** The first failure is the one that is told; the others may follow from it. */
  private fail(error: Error): void {
    this.failure ??= error;
    this.pending?.reject(this.failure);
    this.pending = undefined;
  }
}

/** A channel between every two: for each, its ports to the others. */
function meshOf(size: number): (MessagePort | undefined)[][] {
  const ports = Array.from({ length: size }, () => new Array<MessagePort | undefined>(size).fill(undefined));
  for (let one = 0; one < size; one++)
    for (let other = one + 1; other < size; other++) {
      const { port1, port2 } = new MessageChannel();
      (ports[one] as MessagePort[])[other] = port1;
      (ports[other] as MessagePort[])[one] = port2;
    }
  return ports;
}
