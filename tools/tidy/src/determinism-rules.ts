/** What a run must not touch: it is synchronous and seeded, so that it can be rerun and branched. */
export interface ForbiddenUse {
  readonly why: string;
  readonly instead: string;
}

const CLOCK: ForbiddenUse = {
  why: 'reads the clock of the machine it runs on',
  instead: 'use virtual time: the `time` of the recorded fact, priced by the cost plugin',
};
const CHANCE: ForbiddenUse = {
  why: 'draws numbers that no seed can repeat',
  instead: "draw from the run's seed: `env.below(n)`, or a PrngState from @tablewalk/base",
};
const TIMER: ForbiddenUse = {
  why: 'lets the host decide when something happens',
  instead: 'order a command, or `yield` a step and let the scheduler choose when it runs',
};
const PROMISE: ForbiddenUse = {
  why: 'is asynchronous: what runs in between is not in the history',
  instead: 'answer at once, or write a generator routine; what must wait for I/O belongs in apps/',
};

/** Globals, by name. */
export const GLOBALS: Readonly<Record<string, ForbiddenUse>> = {
  Date: CLOCK,
  performance: CLOCK,
  Temporal: CLOCK,
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  queueMicrotask: TIMER,
  requestAnimationFrame: TIMER,
  requestIdleCallback: TIMER,
  Promise: PROMISE,
  PromiseLike: PROMISE,
};

/** Members of globals that are otherwise harmless. */
export const MEMBERS: Readonly<Record<string, Readonly<Record<string, ForbiddenUse>>>> = {
  Math: { random: CHANCE },
  crypto: { getRandomValues: CHANCE, randomUUID: CHANCE },
  process: { hrtime: CLOCK, uptime: CLOCK, cpuUsage: CLOCK, nextTick: TIMER },
};

/** The global object, under each of its names: its members are globals, too. */
export const GLOBAL_OBJECTS: readonly string[] = ['globalThis', 'global', 'window', 'self'];

interface ForbiddenModule {
  readonly module: RegExp;
  /** Left out: whatever is imported from it. */
  readonly names?: readonly string[];
  readonly use: ForbiddenUse;
}

/** Modules that bring the same things in by another door. */
export const MODULES: readonly ForbiddenModule[] = [
  { module: /^(node:)?perf_hooks$/, use: CLOCK },
  { module: /^(node:)?timers(\/promises)?$/, use: TIMER },
  { module: /^(node:)?(fs|stream|readline|dns)\/promises$/, use: PROMISE },
  {
    module: /^(node:)?crypto$/,
    names: ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID'],
    use: CHANCE,
  },
  {
    module: /^rxjs(\/operators)?$/,
    names: [
      ...['timer', 'interval', 'delay', 'delayWhen', 'debounce', 'debounceTime', 'auditTime', 'throttleTime'],
      ...['sampleTime', 'bufferTime', 'windowTime', 'timeout', 'timeoutWith', 'timeInterval', 'timestamp'],
      ...['asyncScheduler', 'asapScheduler', 'queueScheduler', 'animationFrameScheduler'],
      ...['observeOn', 'subscribeOn'],
    ],
    use: TIMER,
  },
  { module: /^rxjs$/, names: ['firstValueFrom', 'lastValueFrom'], use: PROMISE },
];

/** Syntax, by what it is called in a message. */
export const SYNTAX: Readonly<Record<'async' | 'await' | 'import()', ForbiddenUse>> = {
  async: PROMISE,
  await: PROMISE,
  'import()': {
    why: 'answers a promise',
    instead: 'import statically; plugins are loaded by the app and handed down',
  },
};
