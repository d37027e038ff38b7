import { order, read } from '@tablewalk/contracts';
import type {
  AsidPlugin,
  Command,
  Component,
  Routine,
  ShootdownPlugin,
  TlbPlugin,
  VocabularyFactOf,
} from '@tablewalk/contracts';

/**
 * ARMv7 MP from Cortex-A9 on (spec/tlb-and-shootdown.md, 5.4): DSB ISHST, so that table walks see the
 * stores; TLBI ...IS, which every CPU of the inner shareable domain receives in its own time (each
 * reception is a step); DSB ISH, which waits for all of them. No CPU is interrupted.
 */
export function tlbiBroadcast(cpus: number, asid: AsidPlugin, tlb: TlbPlugin): ShootdownPlugin {
  function* broadcast(cpu: number, invalidateOn: (target: number) => Command): Routine {
    yield* order(barrier(cpu));
    for (let target = 0; target < cpus; target++) yield* order(invalidateOn(target));
    yield* order(barrier(cpu));
  }
  function* broadcastMm(
    cpu: number,
    invalidateOn: (target: number, hwAsid: number) => Command,
    mm: number,
  ): Routine {
    const hwAsid = yield* read((view) => asid.asidOf(view, mm), 'ASID');
    yield* broadcast(cpu, (target) => invalidateOn(target, hwAsid));
  }
  return {
    component: barriers,
    flushTlbRange: ({ cpu }, mm, startVpn, endVpn) =>
      broadcastMm(cpu, (target, hwAsid) => tlb.invalidate(target, 'va', hwAsid, startVpn, endVpn), mm),
    flushTlbMm: ({ cpu }, mm) =>
      broadcastMm(cpu, (target, hwAsid) => tlb.invalidate(target, 'asid', hwAsid, 0, 0), mm),
    flushTlbKernelRange: ({ cpu }, startVpn, endVpn) =>
      broadcast(cpu, (target) => tlb.invalidate(target, 'va-all-asids', 0, startVpn, endVpn)),
  };
}

type Barrier = Command & { cpu: number };
const barrier = (cpu: number): Barrier => ({ to: 'shootdown', type: 'CompleteBarrier', cpu });

/** DSB: facts only; in a sequentially consistent order of steps it changes nothing. */
const barriers: Component<Record<string, never>, Barrier, VocabularyFactOf<'BarrierCompleted'>> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: ({ cpu }) => [{ type: 'BarrierCompleted', cpu }],
  evolve() {},
};
