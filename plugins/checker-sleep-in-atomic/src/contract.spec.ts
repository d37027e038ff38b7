import type { KernelFact } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

const runs = (task: number): KernelFact => ({ type: 'TaskSwitched', cpu: 0, task });
const queues = (task: number): KernelFact => ({ type: 'TaskQueued', cpu: 0, task, queue: 'q' });
const sleeps = (task: number): KernelFact => ({ type: 'TaskSlept', cpu: 0, task, queue: 'q' });
const woken: KernelFact = { type: 'TasksWoken', cpu: 0, queue: 'q' };
const lock = { cpu: 0, lock: 'kmap_lock' };

/** schedule_debug: with preempt_count raised; with a spinlock; with IRQs off. */
const played: readonly (readonly KernelFact[])[] = [
  [
    runs(0),
    { type: 'PreemptDisabled', cpu: 0, task: 0 },
    { type: 'PreemptEnabled', cpu: 0, task: 0 },
    queues(0),
    sleeps(0),
    runs(1),
    { type: 'PreemptDisabled', cpu: 0, task: 1 },
    queues(1),
    sleeps(1),
  ],
  [
    runs(0),
    { type: 'LockAcquired', ...lock },
    queues(0), // prepare_to_wait under the lock, as kmap_high does
    { type: 'LockReleased', ...lock },
    sleeps(0),
    runs(1),
    woken,
    { type: 'LockAcquired', cpu: 1, lock: 'another' },
    queues(1),
    sleeps(1),
    runs(0),
    { type: 'LockAcquired', ...lock },
    queues(0),
    sleeps(0),
  ],
  [runs(0), { type: 'IrqsDisabled', cpu: 0 }, queues(0), sleeps(0)],
];

manifestSuite(manifest);
checkerSuite(manifest, { catches: { played } });
