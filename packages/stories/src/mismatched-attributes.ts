import { awaitUntil } from '@tablewalk/contracts';
import type { Program, Routine, View } from '@tablewalk/contracts';
import type { Never, PlayTask } from '@tablewalk/machine';
import type { ModelStory } from './story.ts';
import { atomically, movesComponent, Variable, variables } from './variable.ts';
import type { Move } from './variable.ts';

const MISSED_RULE = 'a dirty line is missed: a CPU reads what memory had before';
const OVERWRITTEN_RULE = 'a dirty line is written back over what was written past the caches';
const STALE_RULE = 'a read past the caches finds a line that is older than memory';
const COMMAND_RULE = 'the device reads something else than the command';

/** Attributes of a mapping; the first two are of Normal memory, Write-Back. */
const NON_SHAREABLE = 1;
const SHAREABLE = 2;
const NON_CACHEABLE = 3;
const DEVICE = 4;
const isCacheable = (attributes: number): boolean => attributes === NON_SHAREABLE || attributes === SHAREABLE;

/** What the memory may hold, the newer the larger: by a cacheable view, past the caches, by the device. */
const OLD = 0;
const CACHED = 1;
const UNCACHED = 2;
const ANSWER = 3;

type Mismatch = 'hits' | 'misses';
interface Scene {
  readonly cpus: number;
  /** Attributes of the kernel's direct mapping in the beginning. */
  readonly direct: number;
  /** What an access does with a line of its cache that came by other attributes; absent: either. */
  readonly mismatch?: Mismatch;
  /** By task: one on each CPU. */
  readonly programs: Readonly<Record<string, (at: State) => Program>>;
}
const coherent = (remap: 'never' | 'first' | 'last', mismatch?: Mismatch): Scene => ({
  cpus: 1,
  direct: SHAREABLE,
  programs: { driver: (at) => coherentDriver(at, remap) },
  ...(mismatch === undefined ? {} : { mismatch }),
});
const boot = (direct: number, mismatch?: Mismatch): Scene => ({
  cpus: 2,
  direct,
  programs: { boot: (at) => bootCpu(at, direct), secondary },
  ...(mismatch === undefined ? {} : { mismatch }),
});
const ioremap = (what: 'ram' | 'refused' | 'stolen'): Scene => ({
  cpus: 1,
  direct: what === 'stolen' ? 0 : SHAREABLE,
  programs: { ioremap: (at) => ioremapDriver(at, what) },
});

const SCENES: Readonly<Record<string, Scene>> = {
  'coherent-alias': coherent('never'),
  'coherent-remapped': coherent('first'),
  'coherent-flush-first': coherent('last'),
  'coherent-past-caches': coherent('never', 'misses'),
  'boot-non-shareable': boot(NON_SHAREABLE),
  'boot-not-snooped': boot(NON_SHAREABLE, 'hits'),
  'boot-shareable': boot(SHAREABLE),
  'ioremap-of-ram': ioremap('ram'),
  'ioremap-refused': ioremap('refused'),
  'ioremap-stolen': ioremap('stolen'),
};

/**
 * HB-33 of spec/historical-bugs-mapping.md; spec/caches-and-dma.md, 4.8 and 5. Two mappings of one location must
 * agree in memory type, shareability and cacheability (ARM ARM DDI 0406C A3.5.7, mismatched memory attributes). Where
 * they do not, an access may hit a line that came by the other mapping, or miss it.
 *
 * 1. Only lines that came by a shareable mapping are looked for in the cache of the other CPU.
 * 2. A core fetches a line by the direct mapping whenever it likes. That it loses a clean one shows no more: it is as
 *    if it had not fetched it. A new attribute of the direct mapping is there at once, with the TLB maintenance.
 * 3. Accesses past the caches have no write buffer: the wmb() that Normal memory needs is another story.
 * 4. `coherent-past-caches` is the PL310 whose shared attribute override is enabled: where it is not, a Normal
 *    Non-cacheable read may hit (`arm,shared-override`, commit eeedcea69e92). Every coherent DMA buffer of Linux that
 *    keeps its direct mapping relies on it. What 26a26d329688 changed is the memory type: it was Strongly-ordered.
 * 5. `coherent-flush-first` is the order of __alloc_from_contiguous (CMA, 3.5): __dma_clear_buffer, then
 *    __dma_remap. It is safe where reads pass the caches, as in 4; only the other order is safe by itself.
 */
export const mismatchedAttributes: ModelStory = {
  kind: 'model',
  id: 'mismatched-attributes',
  title: 'One page, two mappings with different attributes',
  source:
    'Linux commits 26a26d329688 (coherent DMA), 4b46d6416548 (boot), 309caa9cc6ff (ioremap of RAM), 2.6.33 to 2.6.36',
  about:
    'coherent: dma_alloc_coherent zeroes a page, flushes it and maps it Non-cacheable; the direct mapping of the ' +
    'kernel stays Write-Back, and a core fetches lines by it. boot: the first page tables say Non-shareable and ' +
    'those of paging_init Shareable; a stack line that is dirty in between is missed, by its own CPU and by the ' +
    'next. ioremap: RAM that the kernel has written is mapped as Device; a dirty line is written back over what ' +
    'the driver has written. One line of one page is modelled, in a cache for each CPU.',
  variants: {
    'coherent-alias': {
      verdict: 'violated',
      what: 'the buffer keeps its Write-Back mapping, and reads may hit lines that came by it',
      rule: STALE_RULE,
    },
    'coherent-remapped': {
      verdict: 'holds',
      what: 'the direct mapping is changed first, then the page flushed',
    },
    'coherent-flush-first': {
      verdict: 'violated',
      what: 'the page is flushed first: a line that is fetched before the mapping is changed stays',
      rule: STALE_RULE,
    },
    'coherent-past-caches': {
      verdict: 'holds',
      what: 'as coherent-alias, and Non-cacheable reads never hit',
    },
    'boot-non-shareable': {
      verdict: 'violated',
      what: 'Non-shareable in the first page tables, Shareable afterwards',
      rule: MISSED_RULE,
    },
    'boot-not-snooped': {
      verdict: 'violated',
      what: 'the same, and a CPU always hits what is in its own cache: CPU 1 reads past the dirty line of CPU 0',
      rule: MISSED_RULE,
    },
    'boot-shareable': { verdict: 'holds', what: 'Shareable from the beginning' },
    'ioremap-of-ram': {
      verdict: 'violated',
      what: 'ioremap maps RAM that is dirty in the cache as Device',
      rule: OVERWRITTEN_RULE,
    },
    'ioremap-refused': { verdict: 'holds', what: 'ioremap refuses RAM, and the driver gives up' },
    'ioremap-stolen': { verdict: 'holds', what: 'memory that was taken away before the kernel mapped it' },
  },
  survivors: [
    {
      named: /driver step 1, Store: /,
      why: 'a buffer that is not zeroed, or by a mapping that is changed already: the line is flushed after both',
    },
    {
      named: /, for the data: dropped$/,
      why: 'a driver that ends before it has what it asked for',
    },
  ],
  build(variant) {
    const scene = SCENES[variant] as Scene;
    const at = stateOf(scene);
    const { lines, reads, ...single } = at;
    const known = [...lines, ...reads, ...Object.values(single)];
    const names = Object.keys(scene.programs);
    return {
      cpus: scene.cpus,
      components: [
        ...known.map(({ named }) => named),
        movesComponent('hardware', [
          ...lines.flatMap((_, cpu) => cpuMoves(at, cpu, scene.mismatch)),
          deviceMove(at),
        ]),
      ],
      programs: Object.fromEntries(
        Object.entries(scene.programs).map(([name, program]) => [`story/${name}`, () => program(at)]),
      ),
      play: {
        scene: [],
        tasks: names.map((name, cpu): PlayTask => ({
          name,
          cpu,
          program: `story/${name}`,
          args: [],
          touches: known.map((variable) => variable.name),
        })),
        never: rulesOf(at),
      },
      underTest: names.map((name) => `story/${name}`),
    };
  },
};

type State = ReturnType<typeof stateOf>;

function stateOf({ cpus, direct }: Scene) {
  return {
    /** By CPU: [attributes of the mapping by which the line came, value, dirty]; 0: no line. */
    lines: variables('line', cpus, () => [0, OLD, 0]),
    /** By CPU, a read under way: [attributes, 1 + value that was found]; 0: none. */
    reads: variables('read', cpus, () => [0, 0]),
    /** [value, the newest that was written past the caches]. */
    memory: new Variable('memory', [OLD, OLD]),
    /** Attributes of the direct mapping; 0: there is none. */
    direct: new Variable('direct mapping', [direct]),
    /** A clean and invalidate of CPU 0's line is under way. */
    flush: new Variable('flush', [0]),
    device: new Variable('device', [IDLE]),
    up: new Variable('CPU 1 is up', [0]),
  };
}
const IDLE = 0;
const STARTED = 1;
const DONE = 2;
const MISLED = 3;

const rulesOf = ({ reads, memory, device }: State): readonly Never[] => [
  ...reads.map((own): Never => ({
    rule: MISSED_RULE,
    when: (view) => own.at(view) === SHAREABLE && own.at(view, 1) === 1 + OLD,
  })),
  { rule: OVERWRITTEN_RULE, when: (view) => memory.at(view) < memory.at(view, 1) },
  ...reads.map((own): Never => ({
    rule: STALE_RULE,
    when: (view) =>
      own.at(view) > SHAREABLE && own.at(view, 1) > 0 && own.at(view, 1) - 1 < memory.at(view, 1),
  })),
  { rule: COMMAND_RULE, when: (view) => device.at(view) === MISLED },
];

// What software does.

const storeCached = ({ lines }: State, attributes: number): Routine =>
  (lines[0] as Variable).storeAll([attributes, CACHED, 1]);
const storePastCaches = ({ memory }: State): Routine => memory.storeAll([UNCACHED, UNCACHED]);

function* load({ reads }: State, cpu: number, attributes: number): Routine {
  const own = reads[cpu] as Variable;
  yield* own.storeAll([attributes, 0]);
  yield* awaitUntil('for the data', (view) => own.at(view, 1) !== 0);
}

/** dma_alloc_coherent, a command for the device, and its answer. */
function* coherentDriver(at: State, remap: 'never' | 'first' | 'last'): Program {
  yield* storeCached(at, SHAREABLE);
  if (remap === 'first') yield* at.direct.store(NON_CACHEABLE);
  yield* at.flush.store(1);
  yield* awaitUntil('DSB', (view) => at.flush.at(view) === 0);
  if (remap === 'last') yield* at.direct.store(NON_CACHEABLE);
  yield* storePastCaches(at);
  yield* at.device.store(STARTED);
  yield* awaitUntil('for the device', (view) => at.device.at(view) > STARTED);
  yield* load(at, 0, NON_CACHEABLE);
}

/** The kernel has used the page; then a driver takes it for its own. */
function* ioremapDriver(at: State, what: 'ram' | 'refused' | 'stolen'): Program {
  if (what !== 'stolen') yield* storeCached(at, SHAREABLE);
  if (what === 'refused') return;
  yield* storePastCaches(at);
  yield* load(at, 0, DEVICE);
}

/** A line of the stack is written under the first page tables, and read under those of paging_init. */
function* bootCpu(at: State, first: number): Program {
  yield* storeCached(at, first);
  yield* at.direct.store(SHAREABLE);
  yield* at.up.store(1);
  yield* load(at, 0, SHAREABLE);
}
function* secondary(at: State): Program {
  yield* awaitUntil('until CPU 0 starts it', (view) => at.up.at(view) === 1);
  yield* load(at, 1, SHAREABLE);
}

// What hardware does.

function cpuMoves(at: State, cpu: number, mismatch: Mismatch | undefined): readonly Move[] {
  const { memory, direct, flush, up } = at;
  const line = at.lines[cpu] as Variable;
  const asked = at.reads[cpu] as Variable;
  const actor = `cache ${cpu}`;
  const isAsked = (view: View): boolean => asked.at(view) !== 0 && asked.at(view, 1) === 0;
  const isOther = (view: View): boolean => line.at(view) !== asked.at(view);
  const moves: Move[] = [
    {
      actor,
      label: 'fetches the line by the direct mapping',
      when: (view) => line.at(view) === 0 && isCacheable(direct.at(view)) && (cpu === 0 || up.at(view) === 1),
      then: (view) => [line.becomes([direct.at(view), beyond(at, view, cpu, direct.at(view)), 0])],
    },
    {
      actor,
      label: 'writes its dirty line back',
      when: (view) => line.at(view, 2) === 1,
      then: atomically((now) => {
        now.put(memory, now.at(line, 1));
        now.putAll(line, [0, OLD, 0]);
      }),
    },
    {
      actor,
      label: 'answers with its line',
      when: (view) => isAsked(view) && line.at(view) !== 0 && (mismatch !== 'misses' || !isOther(view)),
      then: atomically((now) => now.put(asked, 1 + now.at(line, 1), 1)),
    },
    {
      actor,
      label: 'answers with what is beyond it',
      when: (view) => isAsked(view) && isOther(view) && (mismatch !== 'hits' || line.at(view) === 0),
      then: (view) => [asked.becomes([asked.at(view), 1 + beyond(at, view, cpu, asked.at(view))])],
    },
  ];
  if (cpu > 0) return moves;
  return [
    ...moves,
    {
      actor,
      label: 'completes the flush of its line',
      when: (view) => flush.at(view) === 1,
      then: atomically((now) => {
        if (now.at(line, 2) === 1) now.put(memory, now.at(line, 1));
        now.putAll(line, [0, OLD, 0]);
        now.put(flush, 0);
      }),
    },
  ];
}

/** What is found beyond a CPU's own cache: a dirty line of another one, if both are shareable, or memory. */
function beyond({ lines, memory }: State, view: View, cpu: number, attributes: number): number {
  const other = lines.find((line, own) => own !== cpu && line.at(view, 2) === 1);
  const isSnooped = attributes === SHAREABLE && other?.at(view) === SHAREABLE;
  return isSnooped ? other.at(view, 1) : memory.at(view);
}

const deviceMove = ({ device, memory }: State): Move => ({
  actor: 'device',
  label: 'reads the command and writes its answer',
  when: (view) => device.at(view) === STARTED,
  then: atomically((now) => {
    now.put(device, now.at(memory) === UNCACHED ? DONE : MISLED);
    now.putAll(memory, [ANSWER, ANSWER]);
  }),
});
