import { awaitUntil, read } from '@tablewalk/contracts';
import type { Program, Routine, View } from '@tablewalk/contracts';
import type { ModelStory } from './story.ts';
import { atomically, movesComponent, Variable } from './variable.ts';
import type { Move } from './variable.ts';

const FAULT_RULE = 'a translation fault on a valid kernel mapping: oops';
const FREED_RULE = 'a page is freed, and its old address still leads to it';

/** The two descriptors of the story: one that faults, and that of the page. */
const FAULT = 0;
const PAGE = 1;

/** What follows the store of a descriptor. */
interface Maintenance {
  readonly clean: boolean;
  readonly dsb: boolean;
}
interface Kernel {
  /** Do table walks read the L1 D-cache? */
  readonly coherentWalks: boolean;
  readonly map: Maintenance;
  readonly unmap: Maintenance;
}
const ALL: Maintenance = { clean: true, dsb: true };
const NO_DSB: Maintenance = { clean: true, dsb: false };
const NO_CLEAN: Maintenance = { clean: false, dsb: true };
const NEITHER: Maintenance = { clean: false, dsb: false };

const KERNELS: Readonly<Record<string, Kernel>> = {
  'no-dsb': { coherentWalks: false, map: NO_DSB, unmap: ALL },
  dsb: { coherentWalks: false, map: ALL, unmap: ALL },
  'no-clean': { coherentWalks: false, map: NO_CLEAN, unmap: NO_CLEAN },
  'removal-no-clean': { coherentWalks: false, map: ALL, unmap: NO_CLEAN },
  'removal-no-dsb': { coherentWalks: false, map: ALL, unmap: NO_DSB },
  'coherent-walker': { coherentWalks: true, map: NO_CLEAN, unmap: NO_CLEAN },
  'coherent-no-dsb': { coherentWalks: true, map: NEITHER, unmap: NO_CLEAN },
};

/**
 * HB-19 of spec/historical-bugs-mapping.md, PT-4 and PT-5 of spec/page-tables.md, 7; the order of steps is that of
 * set_pte_ext, 1.6 there. Commit 376e14218d3d is the same for vmap: flush_cache_vmap became a DSB on VIPT.
 *
 * 1. A walk is an observer of its own: it sees a store after a clean to the point of unification and a DSB (ARM ARM
 *    DDI 0406C B3.10.1; A3.8.3 for the DSB). Where ID_MMFR3 says that walks are coherent, as the Multiprocessing
 *    Extensions require, no clean is needed. The DSB is: walks read caches, and no store buffer.
 * 2. A clean by MVA comes after the store to its line. An eviction does what a clean does, and nobody may rely on it.
 * 3. A TLB invalidation is complete after the next DSB. The one before it, for the descriptor, is that of
 *    flush_tlb_kernel_range (TLB_WB); without it the walker may fetch the old descriptor once more.
 * 4. There is no ISB: steps are in program order. The word that Linux keeps for itself, which no walker reads, is left
 *    out, and so is the handler: no handler mends a kernel address whose second level faults.
 */
export const pteNoDsb: ModelStory = {
  kind: 'model',
  id: 'pte-no-dsb',
  title: 'A new PTE is used before the table walker can see it',
  source: 'Linux commit 2be23c475af8, ARM: dma-mapping: fix for missing DSB (2.6.36); 376e14218d3d for vmap',
  about:
    'The kernel maps a page: it stores the PTE, cleans its line, and uses the address at once; later it unmaps and ' +
    'frees the page. A store waits in the store buffer, then makes a line dirty; a clean is started, and completes ' +
    'when it likes, late when the bus is busy. A DSB waits for both, and for TLB invalidations. The walker reads ' +
    'memory, or the caches where its walks are coherent, and may walk without being asked. One PTE, one CPU.',
  variants: {
    'no-dsb': { verdict: 'violated', what: 'the line is cleaned, and nobody waits for it', rule: FAULT_RULE },
    dsb: { verdict: 'holds', what: 'store, clean, DSB, and only then the access' },
    'no-clean': {
      verdict: 'violated',
      what: 'a DSB and no clean: the PTE stays in the cache',
      rule: FAULT_RULE,
    },
    'removal-no-clean': {
      verdict: 'violated',
      what: 'mapped as it should be, and the removal is not cleaned: the walker reads the old PTE',
      rule: FREED_RULE,
    },
    'removal-no-dsb': {
      verdict: 'violated',
      what: 'the TLB is invalidated before the clean of the removal is complete',
      rule: FREED_RULE,
    },
    'coherent-walker': { verdict: 'holds', what: 'walks read the D-cache: a DSB, and no clean' },
    'coherent-no-dsb': {
      verdict: 'violated',
      what: 'walks read the D-cache, and the store is still in the store buffer',
      rule: FAULT_RULE,
    },
  },
  survivors: [
    {
      named: /step 10, Store: dropped$/,
      why: 'the page is never freed: a leak, and nothing that is still mapped is wrong',
    },
  ],
  build(variant) {
    const at = stateOf();
    const kernel = KERNELS[variant] as Kernel;
    const walked = (view: View): number => {
      const dirty = kernel.coherentWalks ? at.line.at(view) : 0;
      return dirty === 0 ? at.memory.at(view) : dirty - 1;
    };
    const known = Object.values(at);
    return {
      cpus: 1,
      components: [...known.map(({ named }) => named), movesComponent('hardware', hardware(at, walked))],
      programs: { 'story/kernel': () => program(at, kernel, walked) },
      play: {
        scene: [],
        tasks: [
          {
            name: 'kernel',
            cpu: 0,
            program: 'story/kernel',
            args: [],
            touches: known.map(({ name }) => name),
          },
        ],
        never: [
          { rule: FAULT_RULE, when: (view) => at.oops.at(view) === 1 },
          {
            rule: FREED_RULE,
            when: (view) => at.freed.at(view) === 1 && (at.tlb.at(view) === PAGE || walked(view) === PAGE),
          },
        ],
      },
      underTest: ['story/kernel'],
    };
  },
};

type State = ReturnType<typeof stateOf>;

function stateOf() {
  return {
    /** 1 + the descriptor that waits in the store buffer; 0: it is empty. */
    buffer: new Variable('store buffer', [0]),
    /** 1 + the descriptor in the dirty line of the PTE; 0: no dirty line, and the cache has what memory has. */
    line: new Variable('line', [0]),
    memory: new Variable('memory', [FAULT]),
    /** Under way: a clean of that line, an invalidation of the address. */
    clean: new Variable('clean', [0]),
    tlbi: new Variable('TLBI', [0]),
    /** The descriptor that the TLB holds; a fault is never held. */
    tlb: new Variable('TLB', [FAULT]),
    oops: new Variable('oops', [0]),
    freed: new Variable('freed', [0]),
  };
}

function* program(at: State, { map, unmap }: Kernel, walked: (view: View) => number): Program {
  yield* setPte(at, PAGE, map);
  const descriptor = yield* read((view) => at.tlb.at(view) || walked(view), 'the address is used');
  if (descriptor === FAULT) {
    yield* at.oops.store(1);
    return;
  }
  yield* setPte(at, FAULT, unmap);
  yield* at.tlbi.store(1);
  yield* dsb(at);
  yield* at.freed.store(1);
}

/** A second store merges with one that is still in the store buffer. */
function* setPte(at: State, descriptor: number, maintenance: Maintenance): Routine {
  yield* at.buffer.store(1 + descriptor);
  if (maintenance.clean) yield* at.clean.store(1);
  if (maintenance.dsb) yield* dsb(at);
}

const dsb = ({ buffer, clean, tlbi }: State): Routine =>
  awaitUntil('DSB', (view) => [buffer, clean, tlbi].every((pending) => pending.at(view) === 0));

function hardware(at: State, walked: (view: View) => number): readonly Move[] {
  const { buffer, line, memory, clean, tlbi, tlb } = at;
  const writeBack = atomically((now) => {
    now.put(memory, now.at(line) - 1);
    now.put(line, 0);
  });
  return [
    {
      actor: 'D-cache',
      label: 'takes the PTE from the store buffer',
      when: (view) => buffer.at(view) !== 0,
      then: atomically((now) => {
        now.put(line, now.at(buffer));
        now.put(buffer, 0);
      }),
    },
    {
      actor: 'D-cache',
      label: 'completes the clean',
      when: (view) => clean.at(view) === 1 && buffer.at(view) === 0,
      then: atomically((now) => {
        if (now.at(line) !== 0) now.put(memory, now.at(line) - 1);
        now.put(line, 0);
        now.put(clean, 0);
      }),
    },
    { actor: 'D-cache', label: 'evicts the line', when: (view) => line.at(view) !== 0, then: writeBack },
    {
      actor: 'MMU',
      label: 'completes the TLB invalidation',
      when: (view) => tlbi.at(view) === 1,
      then: atomically((now) => {
        now.put(tlb, FAULT);
        now.put(tlbi, 0);
      }),
    },
    {
      actor: 'MMU',
      label: 'walks for the address without being asked',
      when: (view) => tlb.at(view) === FAULT && walked(view) === PAGE,
      then: atomically((now) => now.put(tlb, PAGE)),
    },
  ];
}
