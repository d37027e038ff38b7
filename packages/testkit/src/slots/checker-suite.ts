import type { PluginUse } from '@tablewalk/compose';
import type {
  CheckerPlugin,
  Command,
  KernelFactOf,
  MachineFacts,
  Manifest,
  RecordedFact,
} from '@tablewalk/contracts';
import { kernelComponents } from '@tablewalk/machine';
import type { Play } from '@tablewalk/machine';
import { describe, expect, it } from 'vitest';
import { Given } from '../given.ts';
import type { GivenFact } from '../given.ts';
import { runSmall } from '../run-small.ts';
import type { SmallRun } from '../run-small.ts';
import { openMachine, SHORT_SLICES } from '../small-machine.ts';
import type { Knobs, SmallMachine } from '../small-machine.ts';
import { syntheticTrace } from '../synthetic-trace.ts';

export interface CheckerSupport {
  readonly knobs?: readonly Knobs[];
  /** A machine with the fault that the checker is there to find; for what only stories do, the facts that show it. */
  readonly catches: Pick<SmallMachine, 'slots' | 'known'> | PlayedFaults;
}

/**
 * Each a list of facts on two CPUs, with tasks 0 and 1 on CPU 0. The last fact of a list, and no earlier one, is
 * what the checker reports.
 */
export interface PlayedFaults {
  readonly played: readonly (readonly GivenFact[])[];
}

/** Longer than what other suites run: faults show in windows of a few steps. */
const CHECKED_WORK = [11, 12, 13].map((seed) => syntheticTrace({ seed, references: 900, pages: 64 }));

type Violation = KernelFactOf<'PropertyViolated'>;

/** An oracle finds the fault that it is for, is silent where there is none, and never steers. */
export function checkerSuite(manifest: Manifest, { knobs = [{}], catches }: CheckerSupport): void {
  const run = (
    machine: SmallMachine,
    checkers: NonNullable<SmallMachine['checkers']>,
    seed: number,
    scheduler: PluginUse = { use: 'scheduler-random', references: 8 },
  ): SmallRun => {
    const slots = { ...SHORT_SLICES, scheduler, ...machine.slots };
    const known = [...(machine.known ?? []), manifest];
    return runSmall(openMachine({ ...machine, slots, known, seed, checkers }).built, CHECKED_WORK);
  };
  const seeds = [1, 2, 3, 4];

  describe.each(knobs)(`slot checker: ${manifest.id} %j`, (knob) => {
    const itself = [{ use: manifest.id, ...knob }];

    it('says nothing of a machine of defaults under memory pressure', () => {
      for (const seed of seeds) expect(violations(run({}, itself, seed).facts)).toEqual([]);
    });

    if ('played' in catches) playedFaults(manifest, knob, catches);
    else findsFault(catches, itself);

    it('never steers: without it the same things happen', () => {
      const machine = 'played' in catches ? {} : catches;
      // Round robin: a random scheduler draws by the number of facts, and a report is a fact.
      const watched = run(machine, itself, 1, 'scheduler-round-robin').facts.filter(
        ({ fact }) => fact.type !== 'PropertyViolated',
      );
      const alone = run(machine, [], 1, 'scheduler-round-robin').facts;
      expect(watched.length).toBe(alone.length);
      const apart = alone.findIndex(
        (recorded, i) => JSON.stringify(recorded.fact) !== JSON.stringify(watched[i]?.fact),
      );
      expect(apart).toBe(-1);
    });
  });

  function findsFault(machine: Pick<SmallMachine, 'slots' | 'known'>, itself: readonly PluginUse[]): void {
    it('finds the fault that it is for, and names the facts that caused and showed it', () => {
      const found = seeds.flatMap((seed) => {
        const { facts } = run(machine, itself, seed);
        for (const { seq, by, fact } of violations(facts)) {
          expect([by, fact.checker]).toEqual([manifest.id, manifest.id]);
          expect(fact.culprit).toBeLessThan(fact.evidence);
          expect(fact.evidence).toBeLessThan(seq);
          expect(facts[fact.evidence]?.cpu).toBe(fact.cpu);
        }
        return violations(facts);
      });
      expect(found.length).toBeGreaterThan(0);
    });
  }
}

/** What a story's machine would tell the checker, fact by fact. */
function playedFaults(manifest: Manifest, knobs: Knobs, { played }: PlayedFaults): void {
  const { component } = manifest.create(manifest.config.parse(knobs), {} as never, TOLD) as CheckerPlugin;
  const after = (facts: readonly GivenFact[]): Given<unknown, Command> =>
    new Given(manifest.id, component, 2, kernelComponents(2, PLAY)).facts(...facts);

  it.each(played)('finds the fault that it is for at the fact that shows it, and not before', (...facts) => {
    for (const [i, fact] of facts.entries()) {
      const { orders } = after(facts.slice(0, i)).heard(fact);
      expect(orders.length, `orders at fact ${i}`).toBe(i === facts.length - 1 ? 1 : 0);
      for (const order of orders) {
        const [reported] = after(facts.slice(0, i + 1)).when(order).facts as [Violation];
        expect([order.to, reported.type, reported.checker]).toEqual([
          manifest.id,
          'PropertyViolated',
          manifest.id,
        ]);
        expect(reported.culprit).toBeLessThanOrEqual(reported.evidence);
        expect(reported.evidence).toBe(i);
      }
    }
  });
}
const PLAY: Play = {
  scene: [],
  tasks: [0, 1].map((task) => ({ name: `task ${task}`, cpu: 0, program: 'story/none', args: [] })),
};
const TOLD: MachineFacts = { cpus: 2, ramBytes: 2 ** 26, ramBase: 0x8000_0000, seed: 1 };

const violations = (facts: readonly RecordedFact[]): (RecordedFact & { fact: Violation })[] =>
  facts.filter(
    (recorded): recorded is RecordedFact & { fact: Violation } => recorded.fact.type === 'PropertyViolated',
  );
