import { prngBelow, prngSeed } from '@tablewalk/base';
import type { Alternative, MachineFacts, Manifest, SchedulerPlugin, Slots, Turn } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';

export interface SchedulerSupport {
  readonly knobs?: readonly Knobs[];
  /** True for one that leaves every choice to whoever is outside. */
  readonly asksOutside?: boolean;
}

/** The oracle of the interleaving answers in range, from nothing but what it is shown. */
export function schedulerSuite(
  manifest: Manifest,
  { knobs = [{}], asksOutside = false }: SchedulerSupport = {},
): void {
  describe.each(knobs)(`slot scheduler: ${manifest.id} %j`, (knob) => {
    const create = (): SchedulerPlugin =>
      manifest.create(manifest.config.parse(knob), {} as Slots, {} as MachineFacts) as SchedulerPlugin;

    it('chooses one of the alternatives, or asks outside if that is its way; gives at least one reference', () => {
      hold(
        fc.property(situation, ({ enabled, lastCpu, seed }) => {
          const scheduler = create();
          const turn = turnOf(lastCpu, seed);
          const chosen = scheduler.choose(enabled, turn);
          if (asksOutside) expect(chosen).toBeUndefined();
          else expect(enabled[chosen as number], `alternative ${chosen} of ${enabled.length}`).toBeDefined();
          for (const each of enabled) {
            const budget = scheduler.budget(each, enabled, turn);
            expect(budget === Infinity || Number.isSafeInteger(budget), `budget ${budget}`).toBe(true);
            expect(budget).toBeGreaterThanOrEqual(1);
          }
        }),
      );
    });

    it('keeps nothing: asked again after any other questions it answers the same', () => {
      hold(
        fc.property(fc.array(situation, { minLength: 1, maxLength: 20 }), (situations) => {
          const scheduler = create();
          const answers = situations.map((each) => answer(scheduler, each));
          const backwards = [...situations].reverse().map((each) => answer(scheduler, each));
          expect(backwards.reverse()).toEqual(answers);
          expect(situations.map((each) => answer(create(), each))).toEqual(answers);
        }),
      );
    });

    it('has a script if it asks outside, and none otherwise', () => {
      expect(create().script !== undefined).toBe(asksOutside);
    });
  });
}

interface Situation {
  readonly enabled: Alternative[];
  readonly lastCpu: number;
  readonly seed: number;
}

/** As the machine lists them: by CPU, an interrupt before the step or the process of its CPU. */
const situation: fc.Arbitrary<Situation> = fc
  .record({
    cpus: fc.array(
      fc.record({
        ipi: fc.boolean(),
        runs: fc.constantFrom('step', 'user', 'idle'),
        time: fc.nat(5000),
        late: fc.nat(900),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    lastCpu: fc.integer({ min: -1, max: 3 }),
    seed: fc.nat(1000),
  })
  .map(({ cpus, lastCpu, seed }) => ({
    lastCpu,
    seed,
    enabled: cpus.flatMap(({ ipi, runs, time, late }, cpu): Alternative[] => [
      ...(ipi ? [{ kind: 'ipi' as const, cpu, time: time + late }] : []),
      ...(runs === 'idle' ? [] : [{ kind: runs as 'step' | 'user', cpu, time }]),
    ]),
  }))
  .filter(({ enabled }) => enabled.length > 0);

function turnOf(lastCpu: number, seed: number): Turn {
  const random = prngSeed(seed);
  return { lastCpu, below: (bound) => prngBelow(random, bound) };
}

function answer(scheduler: SchedulerPlugin, { enabled, lastCpu, seed }: Situation): readonly unknown[] {
  const turn = turnOf(lastCpu, seed);
  const chosen = scheduler.choose(enabled, turn);
  return [chosen, scheduler.budget(enabled[chosen ?? 0] as Alternative, enabled, turn)];
}
