import { merge } from '@tablewalk/contracts';
import type { Programs, Slots } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models } from './story.ts';

const VA = 0x8000;
const STORES = 2;

/**
 * B-01 of spec/historical-bugs-tlb.md. One page: with more the same happens more often. CPU 1 stores, goes on
 * with its loop, and stops where it faults; what it then may do is not part of the story.
 */
export const unmapFreeRace: MachineStory = {
  kind: 'machine',
  id: 'unmap-free-race',
  title: 'munmap gives a page back while another CPU still reaches it through its TLB',
  source:
    'Linux commit 06824ba824b3, ARM: tlb: delay page freeing for SMP and ARMv7 CPUs (February 2011); ' +
    'P. Zijlstra, "[PATCH 06/17] arm: mmu_gather rework", LKML, 25 February 2011',
  about:
    'Two threads of one process run on two CPUs. One unmaps a page. ARM then freed the page as soon as its entry ' +
    'was cleared, and flushed the TLBs at the end; meanwhile the other goes on storing through the translation ' +
    'that its TLB holds, into a page that may have a new owner. The page has to wait until every TLB has been ' +
    'flushed.',
  machine: 'cortex-a9-smp',
  set: { checkers: ['checker-page-use-after-free', 'checker-stale-translation'] },
  setBy: {
    'broken-ipi': { 'slots.mmu-gather': 'mmu-gather-immediate' },
    'broken-tlbi': {
      'slots.mmu-gather': 'mmu-gather-immediate',
      'slots.shootdown': 'shootdown-tlbi-broadcast',
    },
    'repaired-tlbi': { 'slots.shootdown': 'shootdown-tlbi-broadcast' },
  },
  // CPU 1 may lose what it holds at any time, and may walk for the page when nobody asks.
  freedom: { speculativeWalks: [{ cpu: 1, va: VA }], tlbEvictions: [{ cpu: 1, va: VA }] },
  variants: {
    'broken-ipi': {
      verdict: 'violated',
      what: 'pages are freed as they are unmapped; TLBs are flushed by IPIs at the end',
      rule: 'access to a freed page',
    },
    'broken-tlbi': {
      verdict: 'violated',
      what: 'pages are freed as they are unmapped; TLBs are flushed by TLBI broadcast at the end',
      rule: 'access to a freed page',
    },
    'repaired-ipi': { verdict: 'holds', what: 'pages wait until every CPU has acknowledged an IPI' },
    'repaired-tlbi': { verdict: 'holds', what: 'pages wait until a TLBI broadcast has completed' },
  },
  survivors: [
    {
      named: /, Note(Start|Flush|Finish): /,
      why: 'the gather tells what it does; nobody decides by it, and checkers then accuse less, not more',
    },
    {
      named: /(AcquireLock|ReleaseLock) page_table_lock:1: after the next/,
      why: 'one task alone takes page_table_lock here, so that the step next to it may as well be outside',
    },
    {
      named: /, MaintainCache: /,
      why: 'data caches of the Cortex-A9 are physically tagged: unmapping a page leaves nothing under its address',
    },
    {
      named: /, StoreLinuxPte: /,
      why: "the walker reads the hardware's word; no second routine of the kernel looks at Linux' own here",
    },
    {
      named: /, ClearHwPte: dropped/,
      why: 'the page is freed while it is mapped: the checkers watch translations that the tables have no more',
    },
    {
      named: /, ClearHwPte: after the next/,
      why: 'the next step is the release of a lock that nobody waits for',
    },
    {
      named: /munmap step \d+, InvalidateTlb: /,
      why: 'CPU 0 flushes its own TLB, and does not touch the page again',
    },
    {
      named: /, acknowledgement of a TLB flush IPI: after the next/,
      why: 'the next step is a note of the gather; the page is still freed after the wait',
    },
    {
      named: /ipi-flush-tlb step 1, InvalidateTlb: after the next/,
      why: 'acknowledged before it is done, but inside the handler: CPU 1 touches nothing before the handler ends',
    },
    { named: /, FreePage: /, why: 'a page that is never freed is lost, and no other harm comes of it' },
  ],
  build: (slots, _variant, _machine, models) =>
    ({
      programs: programsOf(slots, models),
      underTest: ['story/munmap', 'shootdown/ipi-flush-tlb'],
      play: {
        scene: [
          { process: 1, name: 'two threads' },
          { cpu: 0, program: 'story/scene', args: [] },
          ...[0, 1].map((cpu) => ({ cpu, program: 'story/run', args: [] })),
        ],
        tasks: [
          { name: 'munmap', cpu: 0, program: 'story/munmap', args: [] },
          { name: 'stores', cpu: 1, program: 'story/stores', args: [] },
        ],
      },
    }) satisfies Cast,
};

function programsOf(slots: Slots, { tlb }: Models): Programs {
  const { mm, frames, asid, 'page-table': table, 'mmu-gather': gather } = slots;
  return {
    /** An address space with one page, written before. */
    *scene(context) {
      yield* mm.create(context, 1);
      yield* table.populate(context, 1, VA);
      const pfn = (yield* frames.allocate('user', 0, { mm: 1, va: VA })) ?? 0;
      yield* table.setPte(context, 1, VA, { pfn, young: true, dirty: true, write: true });
    },
    /** Both threads have used the page, so that both TLBs hold it. */
    *run(context) {
      yield* asid.switchMm(context, 1);
      yield* tlb.access(context, VA, true);
    },
    *munmap(context) {
      const open = yield* gather.begin(context, 1, false);
      yield* gather.zapPage(context, open, VA);
      yield* gather.finish(context, open);
    },
    *stores(context) {
      for (let left = STORES; left > 0; left--) {
        yield* merge('stores', [left]);
        const outcome = yield* tlb.access(context, VA, true);
        if (outcome.kind === 'fault') return;
      }
    },
  };
}
