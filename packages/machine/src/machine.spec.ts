import {
  awaitUntil,
  cpusKey,
  disableIrqs,
  enableIrqs,
  acknowledgeIpi,
  ipisKey,
  lock,
  order,
  read,
  sendIpi,
  sliceKey,
  unlock,
} from '@tablewalk/contracts';
import type {
  Alternative,
  Command,
  Component,
  DataPlane,
  Fact,
  Programs,
  RecordedFact,
  Slots,
} from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { kernelComponents, Machine } from './index.ts';
import type { MachineOptions, MachineParts } from './index.ts';

/** A counter that programs raise: enough of a policy to see the loop by. */
type Raised = Fact & { type: 'Raised'; by: number };
const counterKey = sliceKey<{ value: number }>('counter');
const counter: Component<{ value: number }, Command & { by: number }, Raised> = {
  facts: { Raised: { by: 'u' } },
  evolvesOn: ['Raised'],
  initial: () => ({ value: 0 }),
  decide: ({ by }) => [{ type: 'Raised', by }],
  evolve(draft, fact) {
    draft.value += fact.by;
  },
};
const raise = (by: number): Command => ({ to: 'counter', type: 'Raise', by }) as Command;

const noArenas: DataPlane = {
  run: (_cpu, _context, _batch, _from, to) => to,
  trap: { kind: 0, fault: 0, status: 0, level: 0, vaLo: 0, vaHi: 0, pfn: 0, write: false, fetch: false },
  counterNames: [],
  takeCounters: () => [],
  outcomeWord: () => 0,
  apply() {},
  validEntries: () => ({}),
  digest: () => '',
};

/** Each CPU runs the program of its number, once; whoever is enabled and first goes first. */
function machineOf(
  programs: Programs,
  options: MachineOptions & { choose?: (enabled: readonly Alternative[]) => number } = {},
): Machine {
  const names = Object.keys(programs).filter((name) => name.startsWith('run-queue/cpu'));
  const started = sliceKey<boolean[]>('started');
  const starts: Component<boolean[], Command, Fact & { cpu: number }> = {
    evolvesOn: ['ThreadStarted'],
    initial: () => names.map(() => false),
    decide: () => [],
    evolve(draft, fact) {
      draft[fact.cpu] = true;
    },
  };
  const slots = {
    scheduler: { choose: options.choose ?? (() => 0), budget: () => 1 },
    cost: { cyclesOf: () => 1, weights: () => new Float64Array(0), ipiDeliveryCycles: 0 },
    'run-queue': {
      programs: {},
      remaining: () => 1,
      waiting: (view, cpu) => view(started)[cpu] !== true,
    },
  } satisfies MachineParts['slots'] as Pick<Slots, 'scheduler' | 'cost' | 'run-queue'>;
  const components = [
    ...kernelComponents(names.length),
    { name: 'counter', component: counter },
    { name: 'started', component: starts },
  ];
  const all: Programs = {
    ...programs,
    *'run-queue/schedule'(context) {
      yield* (programs[`run-queue/cpu${context.cpu}`] as Programs[string])(context);
    },
  };
  return new Machine(
    { cpus: names.length, seed: 1, components, programs: all, slots, dataPlane: noArenas },
    options,
  );
}

const factsOf = (machine: Machine): RecordedFact[] => {
  const facts: RecordedFact[] = [];
  machine.facts$.subscribe((fact) => facts.push(fact));
  return facts;
};
const types = (facts: readonly RecordedFact[]): string[] => facts.map(({ fact }) => fact.type);

describe('programs', () => {
  it('take one step a yield, and leave their observations as facts', () => {
    const machine = machineOf({
      *'run-queue/cpu0'() {
        yield* order(raise(2));
        const seen = yield* read((view) => view(counterKey).value);
        yield* order(raise(seen * 10));
      },
    });
    const facts = factsOf(machine);
    expect(machine.run()).toEqual({ kind: 'finished' });
    expect(machine.view(counterKey).value).toBe(22);
    expect(types(facts)).toEqual([
      'ThreadStarted',
      'Raised',
      'StepTaken',
      'StepTaken',
      'Raised',
      'StepTaken',
      'ThreadFinished',
    ]);
    expect(facts.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(facts[3]?.fact).toEqual({ type: 'StepTaken', cpu: 0, reply: [2] });
  });

  it('wait until their guard holds', () => {
    const machine = machineOf({
      *'run-queue/cpu0'() {
        yield* awaitUntil('the other', (view) => view(counterKey).value === 3);
        yield* order(raise(100));
      },
      *'run-queue/cpu1'() {
        yield* order(raise(3));
      },
    });
    machine.run();
    expect(machine.view(counterKey).value).toBe(103);
  });

  it('exclude each other by locks, whatever the order of steps', () => {
    const critical = function* (cpu: number) {
      yield* lock(cpu, 'l');
      const seen = yield* read((view) => view(counterKey).value);
      yield* order(raise(1 + 0 * seen));
      yield* unlock(cpu, 'l');
    };
    for (const choose of [() => 0, (enabled: readonly Alternative[]) => enabled.length - 1]) {
      const machine = machineOf(
        { 'run-queue/cpu0': () => critical(0), 'run-queue/cpu1': () => critical(1) },
        { choose },
      );
      const facts = factsOf(machine);
      machine.run();
      const locks = types(facts).filter((type) => type.startsWith('Lock'));
      expect(locks).toEqual(['LockAcquired', 'LockReleased', 'LockAcquired', 'LockReleased']);
    }
  });

  it('that wait for each other are a deadlock, not the end', () => {
    const crossed = (cpu: number, first: string, second: string) =>
      function* () {
        yield* lock(cpu, first);
        yield* lock(cpu, second);
      };
    let turn = 0;
    const machine = machineOf(
      { 'run-queue/cpu0': crossed(0, 'a', 'b'), 'run-queue/cpu1': crossed(1, 'b', 'a') },
      { choose: (enabled) => turn++ % enabled.length },
    );
    const status = machine.run();
    expect(status.kind).toBe('violated');
    expect(status).toMatchObject({ by: { fact: { checker: 'kernel', rule: 'deadlock' } } });
    expect(machine.blockedReasons()).toEqual(['spin on b', 'spin on a']);
  });
});

describe('interrupts', () => {
  const handler = function* ({ cpu, args }: { cpu: number; args: readonly number[] }) {
    yield* order(raise(1));
    yield* order(acknowledgeIpi(args[0] as number, cpu));
  };
  /** Interrupts before everything else. */
  const eager = (enabled: readonly Alternative[]): number =>
    Math.max(
      0,
      enabled.findIndex(({ kind }) => kind === 'ipi'),
    );
  const sender = function* () {
    yield* order(sendIpi(0, 1, 'test/handler', []));
    yield* awaitUntil('acknowledgement', (view) => view(ipisKey).open.length === 0);
  };

  it('run on top of what the CPU was doing', () => {
    const machine = machineOf(
      {
        'test/handler': handler,
        'run-queue/cpu0': sender,
        *'run-queue/cpu1'() {
          yield* awaitUntil('the handler', (view) => view(counterKey).value === 1);
          yield* order(raise(10));
        },
      },
      { choose: eager },
    );
    const facts = factsOf(machine);
    expect(machine.run().kind).toBe('finished');
    expect(machine.view(counterKey).value).toBe(11);
    const depth = facts.filter(({ fact }) => fact.type === 'ThreadStarted').map(({ cpu }) => cpu);
    expect(depth).toEqual([0, 1, 1]);
  });

  it('wait while IRQs are off', () => {
    const machine = machineOf(
      {
        'test/handler': handler,
        'run-queue/cpu0': sender,
        *'run-queue/cpu1'() {
          yield* order(disableIrqs(1));
          const before = yield* read((view) => view(counterKey).value);
          const after = yield* read((view) => view(counterKey).value);
          yield* order(raise(100 * (after - before)));
          yield* order(enableIrqs(1));
        },
      },
      {
        choose: (enabled) =>
          enabled.some(({ cpu }) => cpu === 1) ? enabled.findLastIndex(({ cpu }) => cpu === 1) : 0,
      },
    );
    machine.run();
    expect(machine.view(counterKey).value).toBe(1);
  });
});

it('a thread is its log: revived at any point it goes on the same way', () => {
  const programs: Programs = {
    *'run-queue/cpu0'() {
      for (let i = 1; i <= 4; i++) {
        const seen = yield* read((view) => view(counterKey).value);
        yield* order(raise(seen + i));
      }
    },
  };
  const straight = machineOf(programs);
  straight.run();
  for (let cut = 1; cut < straight.world.facts; cut++) {
    const first = machineOf(programs);
    first.run({ untilFact: cut });
    const second = machineOf(programs, { from: first.standstill() });
    second.run();
    expect(second.world).toEqual(straight.world);
  }
});

it('worlds are the same whether they are immutable or written in place, and only the former stay', () => {
  const programs: Programs = {
    *'run-queue/cpu0'() {
      yield* order(raise(1));
      yield* order(raise(2));
    },
  };
  const direct = machineOf(programs, { folding: 'direct' });
  const immutable = machineOf(programs, { folding: 'immutable' });
  const before = immutable.world;
  direct.run();
  immutable.run();
  expect(immutable.world).toEqual(direct.world);
  expect(before.facts).toBe(0);
  expect(Object.isFrozen(immutable.world.slices['counter'])).toBe(true);
});

it('every choice can come from outside', () => {
  const machine = machineOf(
    {
      *'run-queue/cpu0'() {
        yield* order(raise(1));
      },
      *'run-queue/cpu1'() {
        yield* order(raise(2));
      },
    },
    { choose: (() => undefined) as never },
  );
  const facts = factsOf(machine);
  const status = machine.run();
  expect(status.kind).toBe('needs-choice');
  machine.offer({ kind: 'choice', taken: 1, of: 2 });
  machine.run();
  expect(facts.find(({ fact }) => fact.type === 'Raised')?.cpu).toBe(1);
  machine.offer({ kind: 'choice', taken: 5, of: 1 });
  expect(() => machine.run()).toThrow(/SCHEDULE_OUT_OF_RANGE/);
  expect(machine.view(cpusKey)[1]?.stack).toEqual([]);
});
