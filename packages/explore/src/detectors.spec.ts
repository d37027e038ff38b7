import {
  acknowledgeIpi,
  awaitIpis,
  disableIrqs,
  enableIrqs,
  issue,
  lock,
  merge,
  order,
  preemptDisable,
  preemptEnable,
  prepareToWait,
  read,
  schedule,
  sendIpi,
  sleepOn,
  unlock,
  wakeUp,
} from '@tablewalk/contracts';
import type { KernelFactOf, Program, ProgramContext } from '@tablewalk/contracts';
import { Variable } from '@tablewalk/stories';
import type { ModelStory } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { explore } from './index.ts';
import type { Exploration } from './index.ts';

type Written = (context: ProgramContext) => Program;

/** Tasks by the CPU that each runs on, in the order of their names, and interrupt handlers beside them. */
function look(
  tasks: readonly (readonly [cpu: number, program: Written])[],
  variables: readonly Variable[] = [],
  handlers: Readonly<Record<string, Written>> = {},
): Exploration {
  const story: ModelStory = {
    kind: 'model',
    id: 'detected',
    title: 'detected',
    source: 'none',
    about: 'none',
    variants: { only: { verdict: 'holds', what: 'the only one' } },
    build: () => ({
      cpus: 1 + Math.max(...tasks.map(([cpu]) => cpu)),
      components: variables.map(({ named }) => named),
      programs: {
        ...Object.fromEntries(tasks.map(([, program], i) => [`story/${i}`, program])),
        ...handlers,
      },
      play: {
        scene: [],
        tasks: tasks.map(([cpu], i) => ({ name: `task ${i}`, cpu, program: `story/${i}`, args: [] })),
      },
    }),
  };
  return explore(staged(story, 'only'), { throughViolations: true });
}
const verdictOf = ({ verdict, rules }: Exploration): unknown => ({ verdict, rules });

describe('deadlock', () => {
  const taking = (first: string, second: string): Written =>
    function* ({ cpu }) {
      yield* lock(cpu, first);
      yield* lock(cpu, second);
      yield* unlock(cpu, second);
      yield* unlock(cpu, first);
    };

  it('two locks that are taken in both orders', () => {
    const found = look([
      [0, taking('a', 'b')],
      [1, taking('b', 'a')],
    ]);
    expect(verdictOf(found)).toEqual({ verdict: 'violated', rules: ['deadlock'] });
    expect(found.violation?.schedule.length).toBe(2);
    expect(found.stuckStates).toBe(1);
  });

  it('none in one order', () => {
    const found = look([
      [0, taking('a', 'b')],
      [1, taking('a', 'b')],
    ]);
    expect(verdictOf(found)).toEqual({ verdict: 'holds', rules: [] });
  });

  it('none on one CPU: a spinlock disables preemption', () => {
    const found = look([
      [0, taking('a', 'b')],
      [0, taking('b', 'a')],
    ]);
    expect(verdictOf(found)).toEqual({ verdict: 'holds', rules: [] });
  });
});

describe('lost wake-up', () => {
  const waiting = (check: 'once' | 'after queueing'): Exploration => {
    const ready = new Variable('ready', [0]);
    function* waiter(context: ProgramContext): Program {
      if (check === 'once') {
        if ((yield* ready.load()) === 0) yield* sleepOn(context, 'queue');
        return;
      }
      // The condition is looked at, and the task queued, under the lock that the waker takes.
      yield* lock(context.cpu, 'l');
      const unset = (yield* ready.load()) === 0;
      if (unset) yield* prepareToWait(context, 'queue');
      yield* unlock(context.cpu, 'l');
      if (unset) yield* schedule(context);
    }
    function* waker(context: ProgramContext): Program {
      yield* lock(context.cpu, 'l');
      yield* ready.store(1);
      yield* unlock(context.cpu, 'l');
      yield* wakeUp(context, 'queue');
    }
    return look(
      [
        [0, waiter],
        [1, waker],
      ],
      [ready],
    );
  };

  it('the condition was looked at before the task was on the queue', () => {
    const found = waiting('once');
    expect(verdictOf(found)).toEqual({ verdict: 'violated', rules: ['lost wake-up'] });
    // Load; lock, store, unlock, wake nobody; queue, sleep.
    expect(found.violation?.schedule.length).toBe(7);
  });

  it('not when both are under a lock', () => {
    expect(verdictOf(waiting('after queueing'))).toEqual({ verdict: 'holds', rules: [] });
  });
});

describe('waiting for an interrupt of another CPU', () => {
  const HANDLER = 'story/acknowledge';
  const handlers: Record<string, Written> = {
    *[HANDLER]({ cpu, args: [id = 0] }) {
      yield* order(acknowledgeIpi(id, cpu));
    },
  };
  const initiator = (irqs: 'on' | 'off', target: number): Written =>
    function* ({ cpu }) {
      if (irqs === 'off') yield* order(disableIrqs(cpu));
      const sent = yield* issue<KernelFactOf<'IpiSent'>>(sendIpi(cpu, target, HANDLER, []), (facts) =>
        facts.map(({ id }) => id),
      );
      yield* awaitIpis(sent, 'acknowledgement');
      if (irqs === 'off') yield* order(enableIrqs(cpu));
    };

  it('with its own IRQs off is named, though it ends well when the other is free', () => {
    const rule = 'waits for other CPUs to take an interrupt, with its own IRQs off';
    const idle: Written = function* () {};
    const one = look(
      [
        [0, initiator('off', 1)],
        [1, idle],
      ],
      [],
      handlers,
    );
    expect(verdictOf(one)).toEqual({ verdict: 'violated', rules: [rule] });
    const both = look(
      [
        [0, initiator('off', 1)],
        [1, initiator('off', 0)],
      ],
      [],
      handlers,
    );
    expect(both.rules).toEqual(['deadlock', rule]);
  });

  it('with IRQs on ends, whatever comes first', () => {
    const both = look(
      [
        [0, initiator('on', 1)],
        [1, initiator('on', 0)],
      ],
      [],
      handlers,
    );
    expect(verdictOf(both)).toEqual({ verdict: 'holds', rules: [] });
  });
});

it('a program that spins is refused, with the way out', () => {
  const x = new Variable('x', [0]);
  const spinning: Written = function* () {
    while ((yield* x.load()) === 0);
  };
  expect(() => look([[0, spinning]], [x])).toThrow(/EXPLORE_ENDLESS_PROGRAM/);
});

describe('preemption', () => {
  /** Adds one by a load and a store; an update is lost if another task comes in between. */
  const adding = (x: Variable, guarded: boolean): Written =>
    function* (context) {
      if (guarded) yield* preemptDisable(context);
      yield* x.store((yield* x.load()) + 1);
      if (guarded) yield* preemptEnable(context);
    };
  const sums = ({ outcomes = [] }: Exploration): unknown[] =>
    outcomes.map((json) => (JSON.parse(json) as [string, unknown][]).find(([name]) => name === 'x')?.[1]);

  it('may happen between any two steps of a task', () => {
    const x = new Variable('x', [0]);
    const found = look(
      [
        [0, adding(x, false)],
        [0, adding(x, false)],
      ],
      [x],
    );
    expect(sums(found)).toEqual([[1], [2]]);
  });

  it('does not happen where it is disabled', () => {
    const x = new Variable('x', [0]);
    const found = look(
      [
        [0, adding(x, true)],
        [0, adding(x, true)],
      ],
      [x],
    );
    expect(sums(found)).toEqual([[2]]);
  });

  it('does not keep another CPU away', () => {
    const x = new Variable('x', [0]);
    const found = look(
      [
        [0, adding(x, true)],
        [1, adding(x, true)],
      ],
      [x],
    );
    expect(sums(found)).toEqual([[1], [2]]);
  });

  it('a task that sleeps leaves its CPU to others, whatever it holds', () => {
    const x = new Variable('x', [0]);
    const found = look(
      [
        [
          0,
          function* (context) {
            yield* preemptDisable(context);
            yield* sleepOn(context, 'queue');
            yield* x.store((yield* read((view) => x.at(view))) * 2);
            yield* preemptEnable(context);
          },
        ],
        [
          0,
          function* (context) {
            yield* x.store(3);
            while ((yield* x.load()) !== 6) {
              yield* wakeUp(context, 'queue');
              yield* merge('awake?');
            }
          },
        ],
      ],
      [x],
    );
    expect(sums(found)).toEqual([[6]]);
  });
});
