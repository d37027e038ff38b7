import { defineManifest, read } from '@tablewalk/contracts';
import type { Command, Component, Fact, Manifest, MmPlugin, Programs } from '@tablewalk/contracts';
import { filter, map, scan } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hiddenState } from './branch-suite.ts';
import { bothWays } from './component-suite.ts';
import { installedPlugins } from './installation.ts';
import { runSmall } from './run-small.ts';
import { openMachine, SHORT_SLICES } from './small-machine.ts';
import { syntheticTrace } from './synthetic-trace.ts';

/** A suite that never fails says nothing: here are plugins with the faults that ours are there to find. */
const WORK = [1, 2].map((seed) => syntheticTrace({ seed, references: 120, pages: 12 }));

const told = { version: '1.0.0', summary: 'wrong on purpose', source: 'none', requires: [] } as const;
const config = z.strictObject({});

/** What `hiddenState` finds in a machine with this plugin in it. */
function found(manifest: Manifest): string | undefined {
  const machine = { slots: SHORT_SLICES, use: [manifest] };
  return hiddenState(machine, WORK, runSmall(openMachine(machine).built, WORK), 1);
}

describe('a stopped and revived machine shows', () => {
  it('nothing, of plugins that keep their state where it belongs', () => {
    const machine = { slots: SHORT_SLICES };
    expect(hiddenState(machine, WORK, runSmall(openMachine(machine).built, WORK), 1)).toBeUndefined();
  });

  it('a counter in the plugin itself', () => {
    const counting = defineManifest({
      ...told,
      id: 'scheduler-counting',
      slot: 'scheduler',
      config,
      create() {
        let turns = 0;
        return { choose: (enabled) => turns++ % enabled.length, budget: () => 16 };
      },
    });
    expect(found(counting)).toMatch(/differs in/);
  });

  it('a reaction with a memory', () => {
    expect(found(checker('checker-memory', reporting))).toMatch(/differs in/);
  });

  it('a slice that is no plain data', () => {
    const component = { ...silent, initial: () => ({ seen: new Map<string, number>() }) };
    expect(found(checker('checker-map', component))).toMatch(/no plain data: .*Map/);
  });

  it('a decision that writes its slice', () => {
    const writes: Component<{ reports: number }, Command, Fact> = {
      ...silent,
      initial: () => ({ reports: 0 }),
      decide(_command, state) {
        state.reports += 1;
        return [];
      },
      react: (facts$) =>
        facts$.pipe(
          filter(({ fact }) => fact.type === 'AbortTaken'),
          map(() => report('checker-writes')),
        ),
    };
    expect(() => found(checker('checker-writes', writes))).toThrow(/read only/);
  });

  it('a program that remembers what it did not observe', () => {
    const original = installedPlugins.get('mm-demand-paging') as Manifest;
    const forgetful: Manifest = {
      ...original,
      id: 'mm-forgetful',
      create(knobs, deps, machine) {
        const plugin = original.create(knobs, deps, machine) as MmPlugin;
        let faults = 0;
        return {
          ...plugin,
          programs: {
            ...plugin.programs,
            *fault(context) {
              faults += 1;
              for (let i = 0; i < faults % 4; i++) yield* read(() => 0);
              yield* (plugin.programs['fault'] as Programs[string])(context);
            },
          },
        };
      },
    };
    expect(found(forgetful)).toMatch(/differs in/);
  });
});

describe('folding both ways shows', () => {
  const heard = (fact: Fact): [Fact, number][] => [1, 2, 3].map(() => [fact, 0]);
  const under = (component: Component<never>): Parameters<typeof bothWays>[0] => ({
    name: 'bad',
    component,
    schemas: {},
    cpus: 1,
  });

  it('one object in two places', () => {
    const aliasing: Component<{ a?: { n: number }; b?: { n: number } }> = {
      ...silent,
      evolvesOn: ['AbortTaken'],
      initial: () => ({}),
      evolve(draft) {
        draft.a ??= { n: 0 };
        draft.b ??= draft.a;
        draft.b.n += 1;
      },
    };
    expect(() => bothWays(under(aliasing as Component<never>), heard({ type: 'AbortTaken' }))).toThrow();
  });

  it('a recipe that writes the fact', () => {
    const scribbling: Component<{ args: number[][] }> = {
      ...silent,
      evolvesOn: ['ThreadStarted'],
      initial: () => ({ args: [] }),
      evolve(draft, fact) {
        const { args } = fact as Fact & { args: number[] };
        args.push(1);
        draft.args.push(args);
      },
    };
    const fact = { type: 'ThreadStarted', args: [1] } as Fact;
    expect(() => bothWays(under(scribbling as Component<never>), heard(fact))).toThrow(/not extensible/);
  });

  it('a recipe that is not total', () => {
    const partial: Component<Record<string, number>> = {
      ...silent,
      evolvesOn: ['AbortTaken'],
      evolve(draft) {
        draft['n'] = (draft['n'] ?? 0) + 1;
        if (draft['n'] > 2) throw new RangeError('three is too many');
      },
    };
    expect(() => bothWays(under(partial as Component<never>), heard({ type: 'AbortTaken' }))).toThrow(
      /too many/,
    );
  });
});

/** A component without a state that orders nothing. */
const silent = { evolvesOn: [], initial: () => ({}), decide: () => [], evolve() {} } as const;

function checker<S>(id: string, component: Component<S>): Manifest {
  return defineManifest({ ...told, id, slot: 'checker', config, create: () => ({ component }) });
}

const report = (to: string): Command => ({ to, type: 'ReportViolation' });

/** Reports every tenth abort that it has heard of. */
const reporting: Component<object, Command, Fact> = {
  ...silent,
  decide: () => [{ type: 'PropertyViolated', checker: 'checker-memory', rule: '', cpu: 0 } as Fact],
  react: (facts$) =>
    facts$.pipe(
      filter(({ fact }) => fact.type === 'AbortTaken'),
      scan((count) => count + 1, 0),
      filter((count) => count % 10 === 0),
      map(() => report('checker-memory')),
    ),
};
