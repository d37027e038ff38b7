import { acknowledgeIpi, order, sendIpi, storeLine } from '@tablewalk/contracts';
import type { KmapPlugin, MachineFacts, Programs } from '@tablewalk/contracts';
import { OUTLIVED_MAPPING, outlivedMapping } from './outlived-mapping.ts';
import type { MachineStory } from './story.ts';

/** KM_TYPE_NR is 2: a task and the handler that interrupts it need no more. */
const stack = (pop: 'first' | 'last'): object => ({ use: 'kmap-atomic-stack', types: 2, pop });

/** HB-7 of spec/historical-bugs-mapping.md, KA-2 of spec/kmap.md; (b) there is derived, as its spec says. */
export const kunmapAtomicPop: MachineStory = {
  kind: 'machine',
  id: 'kunmap-atomic-pop',
  title: 'kunmap_atomic gives its slot back before it is clean, and an interrupt takes it',
  source: 'Linux commit 20273941f212, mm: fix race in kunmap_atomic(), October 2010; spec/kmap.md 4.1',
  about:
    'With the stack of slots, kunmap_atomic took its index from the counter and lowered the counter in one go. An ' +
    'interrupt in the next few instructions maps another page at the same index, while the entry and, in a VIVT ' +
    'cache, dirty lines of the first page are still there: what the handler writes ends in the first page. The ' +
    'index must be looked at first and given back last.',
  machine: 'arm926-up',
  setBy: {
    broken: { 'slots.kmap': stack('first'), checkers: ['checker-slot-overwrite'] },
    corrupts: { 'slots.kmap': stack('first'), checkers: [] },
    repaired: { 'slots.kmap': stack('last'), checkers: ['checker-slot-overwrite'] },
  },
  variants: {
    broken: {
      verdict: 'violated',
      what: 'the index is popped first',
      rule: 'a kmap slot in use was mapped to another page',
    },
    corrupts: {
      verdict: 'violated',
      what: 'the same, and nobody watches the slots: what a VIVT cache makes of it',
      rule: OUTLIVED_MAPPING,
    },
    repaired: { verdict: 'holds', what: 'the index is looked at first and popped last' },
  },
  survivors: [
    {
      named: /, DisablePreemption: after the next/,
      why: 'the index is pushed with preemption on: the other task of this CPU maps nothing, its handler does',
    },
    {
      named: /, (SetEntry: after the next|InvalidateTlb: )/,
      why: 'no access goes through a TLB here, so that nothing sees an old translation, or one that is early',
    },
    { named: /, StoreLine: dropped/, why: 'what is not written cannot be lost' },
    {
      named: /, StoreLine: after the next/,
      why: 'the next step looks at the index on top, which is the same before and after the store',
    },
    {
      named: /, MaintainCache: after the next/,
      why: 'the entry stays as it is when it is left, and the index is popped later than both: nobody maps there',
    },
  ],
  build: ({ kmap }, _variant, machine) => ({
    programs: programsOf(kmap, machine),
    play: {
      scene: [],
      tasks: [
        { name: 'kmap_atomic(P)', cpu: 0, program: 'story/task', args: [] },
        { name: 'device', cpu: 0, program: 'story/interrupt', args: [] },
      ],
      never: [outlivedMapping(kmap)],
    },
    underTest: ['story/task'],
  }),
};

function programsOf(kmap: KmapPlugin, { ramBase, ramBytes }: MachineFacts): Programs {
  const end = (ramBase + ramBytes) / 4096;
  const [p, q] = [end - 2, end - 1];
  return {
    *task(context) {
      const va = yield* kmap.map(context, p, 0);
      yield* order(storeLine(context.cpu, va, p * 4096));
      yield* kmap.unmap(context, va, p, 0);
    },
    *interrupt({ cpu }) {
      yield* order(sendIpi(cpu, cpu, 'story/handler', []));
    },
    *handler(context) {
      const va = yield* kmap.map(context, q, 0);
      yield* order(storeLine(context.cpu, va, q * 4096));
      yield* kmap.unmap(context, va, q, 0);
      yield* order(acknowledgeIpi(context.args[0] as number, context.cpu));
    },
  };
}
