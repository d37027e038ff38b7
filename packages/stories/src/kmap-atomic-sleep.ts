import { awaitUntil, defineFacts, order, sleepOn, sliceKey, tasksKey, wakeUp } from '@tablewalk/contracts';
import type {
  Command,
  Component,
  FactsIn,
  KmapPlugin,
  ProgramContext,
  Routine,
  View,
} from '@tablewalk/contracts';
import type { Cast, MachineStory } from './story.ts';

/** Tasks, and the pages that are theirs. */
const A = 0;
const B = 1;
/** enum km_type of 2.6.36. */
const KM_USER0 = 3;
const KM_USER1 = 4;
/** The wait queue that A sleeps on. */
const IO = 'io';
const PAGES = 'pages';
const STRAY = 'a task has written into the page of another';

/**
 * "If they did, another process could create a mapping of the same type behind their backs and overwrite the
 * existing entries" (Mauerer). Two tasks of one CPU write their own page through kmap_atomic; who writes which
 * page in the end is seen by what the address leads to at the moment of each store.
 */
export const kmapAtomicSleep: MachineStory = {
  kind: 'machine',
  id: 'kmap-atomic-sleep',
  title: 'who sleeps, or is preempted, inside kmap_atomic writes into a page of somebody else',
  source:
    'W. Mauerer, Professional Linux Kernel Architecture, 3.5.8, Temporary Kernel Mappings; spec/kmap.md 4',
  about:
    'kmap_atomic has one slot for each CPU and km_type, and asks nobody whether it is free. Task A maps its page ' +
    'with KM_USER0 and sleeps before it has unmapped it; task B of the same CPU maps another page with the same ' +
    'type. When A is woken, its address leads into the page of B.',
  machine: 'arm926-up',
  set: { 'slots.kmap': 'kmap-atomic-fixmap', checkers: ['checker-slot-overwrite'] },
  setBy: {
    named: { checkers: ['checker-sleep-in-atomic', 'checker-slot-overwrite'] },
    preempted: {
      'slots.kmap': { use: 'kmap-atomic-fixmap', disablePreemption: false },
      checkers: ['checker-sleep-in-atomic', 'checker-slot-overwrite'],
    },
    astray: { checkers: [] },
    repaired: { checkers: ['checker-sleep-in-atomic', 'checker-slot-overwrite'] },
  },
  variants: {
    sleeps: {
      verdict: 'violated',
      what: 'A sleeps while its page is mapped',
      rule: 'a kmap slot in use was mapped to another page',
    },
    named: {
      verdict: 'violated',
      what: 'the same, and a checker that names the cause before it bites',
      rule: 'a task sleeps in an atomic section',
    },
    preempted: {
      verdict: 'violated',
      what: 'nobody sleeps, but kmap_atomic leaves preemption on',
      rule: 'a kmap slot in use was mapped to another page',
    },
    astray: {
      verdict: 'violated',
      what: 'A sleeps, no checker watches the slots: what comes of it',
      rule: STRAY,
    },
    'other-type': {
      verdict: 'holds',
      what: 'A sleeps, but B maps with KM_USER1: the mistake is there, and luck',
    },
    repaired: { verdict: 'holds', what: 'A unmaps its page before it sleeps, and maps it again' },
  },
  survivors: [
    {
      named: /, (SetEntry: after the next|InvalidateTlb: )/,
      why: 'no access goes through a TLB here, so that nothing sees an old translation, or one that is early',
    },
    {
      named: /, (StoreThrough|MaintainCache): /,
      why:
        'a store that is not made goes to no wrong page, and this story has stores reach memory at once, through no ' +
        'cache: that lines must be cleaned, and later than they are written, is seen by kunmap-atomic-pop',
    },
    {
      named: /, EnablePreemption: after the next/,
      why: 'a task may be on a wait queue with preemption disabled, if only it is enabled when it sleeps',
    },
    {
      named: /, PrepareToWait: after the next/,
      why: 'the device waits until A is on the queue, so that the wake-up is not lost, and A waits for it',
    },
    {
      named: /, (Schedule: |asleep: dropped)/,
      why: 'A has no page mapped then: whether it sleeps or goes on unwoken, no slot and no store depends on it',
    },
    {
      named: /, asleep: after the next/,
      why: 'preemption is disabled by a task that is gone already: it still maps its page when it has come back',
    },
  ],
  build({ kmap }, variant, { ramBase, ramBytes }): Cast {
    const end = (ramBase + ramBytes) / 4096;
    const pages = [end - 2, end - 1] as const;
    const sleeps = variant !== 'preempted';
    return {
      programs: {
        a: (context) => taskA(kmap, context, pages[A], variant),
        *b(context) {
          const type = variant === 'other-type' ? KM_USER1 : KM_USER0;
          const va = yield* kmap.map(context, pages[B], type);
          yield* storeThrough(context, va);
          yield* kmap.unmap(context, va, pages[B], type);
        },
        *device(context) {
          yield* awaitUntil('A waits', (view) => view(tasksKey)[A]?.queue === IO);
          yield* wakeUp(context, IO);
        },
      },
      play: {
        scene: [],
        tasks: [
          { name: 'A', cpu: 0, program: 'story/a', args: [] },
          { name: 'B', cpu: 0, program: 'story/b', args: [] },
          ...(sleeps ? [{ name: 'device', cpu: 0, program: 'story/device', args: [] }] : []),
        ],
        never: [{ rule: STRAY, when: strayStore }],
      },
      components: [{ name: PAGES, component: pagesComponent(kmap, pages) }],
      underTest: ['story/a', 'story/b'],
    };
  },
};

/** Maps, writes, sleeps or does not, writes again, unmaps. */
function* taskA(kmap: KmapPlugin, context: ProgramContext, page: number, variant: string): Routine {
  let va = yield* kmap.map(context, page, KM_USER0);
  yield* storeThrough(context, va);
  if (variant === 'repaired') {
    yield* kmap.unmap(context, va, page, KM_USER0);
    yield* sleepOn(context, IO);
    va = yield* kmap.map(context, page, KM_USER0);
  } else if (variant !== 'preempted') yield* sleepOn(context, IO);
  yield* storeThrough(context, va);
  yield* kmap.unmap(context, va, page, KM_USER0);
}

/** Who wrote each page last, by number of the page: the task's number and 1, 0 for nobody. */
type WritersState = number[];
const writersKey = sliceKey<WritersState>(PAGES);
const pageFacts = defineFacts({ PageWritten: { cpu: 'u', task: 'u', va: 'u', pfn: 'u' } });
interface StoreThrough extends Command {
  readonly cpu: number;
  readonly task: number;
  readonly va: number;
}

/** One store: it reaches whatever page its address leads to now. */
const storeThrough = ({ cpu, task = 0 }: ProgramContext, va: number): Routine =>
  order({ to: PAGES, type: 'StoreThrough', cpu, task, va } as StoreThrough);

const pagesComponent = (
  kmap: KmapPlugin,
  pages: readonly number[],
): Component<WritersState, StoreThrough, FactsIn<typeof pageFacts>> => ({
  facts: pageFacts,
  evolvesOn: ['PageWritten'],
  initial: () => pages.map(() => 0),
  decide({ cpu, task, va }, _state, { view }) {
    const pfn = kmap.pfnAt(view, va);
    return pfn === undefined ? [] : [{ type: 'PageWritten', cpu, task, va, pfn }];
  },
  evolve(draft, { pfn, task }) {
    draft[pages.indexOf(pfn)] = task + 1;
  },
});

/** A task's page has its own number; whoever else wrote it went astray. */
const strayStore = (view: View): boolean =>
  view(writersKey).some((writer, page) => writer !== 0 && writer !== page + 1);
