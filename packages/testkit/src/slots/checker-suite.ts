import type { PluginUse } from '@tablewalk/compose';
import type { KernelFactOf, Manifest, RecordedFact } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { runSmall } from '../run-small.ts';
import type { SmallRun } from '../run-small.ts';
import { openMachine, SHORT_SLICES } from '../small-machine.ts';
import type { Knobs, SmallMachine } from '../small-machine.ts';
import { syntheticTrace } from '../synthetic-trace.ts';

export interface CheckerSupport {
  readonly knobs?: readonly Knobs[];
  /** A machine with the fault that the checker is there to find. */
  readonly catches: Pick<SmallMachine, 'slots' | 'known'>;
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

    it('finds the fault that it is for, and names the facts that caused and showed it', () => {
      const found = seeds.flatMap((seed) => {
        const { facts } = run(catches, itself, seed);
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

    it('never steers: without it the same things happen', () => {
      // Round robin: a random scheduler draws by the number of facts, and a report is a fact.
      const watched = run(catches, itself, 1, 'scheduler-round-robin').facts.filter(
        ({ fact }) => fact.type !== 'PropertyViolated',
      );
      const alone = run(catches, [], 1, 'scheduler-round-robin').facts;
      expect(watched.length).toBe(alone.length);
      const apart = alone.findIndex(
        (recorded, i) => JSON.stringify(recorded.fact) !== JSON.stringify(watched[i]?.fact),
      );
      expect(apart).toBe(-1);
    });
  });
}

const violations = (facts: readonly RecordedFact[]): (RecordedFact & { fact: Violation })[] =>
  facts.filter(
    (recorded): recorded is RecordedFact & { fact: Violation } => recorded.fact.type === 'PropertyViolated',
  );
