import type { KernelFact } from '@tablewalk/contracts';
import { checkerSuite, manifestSuite } from '@tablewalk/testkit';
import { manifest } from './manifest.ts';

const runs = (task: number): KernelFact => ({ type: 'TaskSwitched', cpu: 0, task });
const sleeps = (task: number): KernelFact => ({ type: 'TaskSlept', cpu: 0, task, queue: 'q' });
const woken: KernelFact = { type: 'TasksWoken', cpu: 0, queue: 'q' };
const lock = { cpu: 0, lock: 'kmap_lock' };

/** schedule_debug: with preempt_count raised; with a spinlock; with IRQs off. */
const played: readonly (readonly KernelFact[])[] = [
  [
    runs(0),
    { type: 'PreemptDisabled', cpu: 0, task: 0 },
    { type: 'PreemptEnabled', cpu: 0, task: 0 },
    sleeps(0),
    runs(1),
    { type: 'PreemptDisabled', cpu: 0, task: 1 },
    sleeps(1),
  ],
  [
    runs(0),
    { type: 'LockAcquired', ...lock },
    sleeps(0), // prepare_to_wait under the lock, as kmap_high does
    { type: 'LockReleased', ...lock },
    runs(1),
    woken,
    { type: 'LockAcquired', ...lock },
    { type: 'LockReleased', ...lock },
    { type: 'LockAcquired', cpu: 1, lock: 'another' },
    sleeps(1),
    runs(0),
    { type: 'LockAcquired', ...lock },
    sleeps(0),
    runs(1),
  ],
  [runs(0), { type: 'IrqsDisabled', cpu: 0 }, sleeps(0), runs(1)],
];

manifestSuite(manifest);
checkerSuite(manifest, { catches: { played } });
