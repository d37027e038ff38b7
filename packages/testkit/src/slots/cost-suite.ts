import { kernelFacts, vocabularyFacts } from '@tablewalk/contracts';
import type { CostPlugin, MachineFacts, Manifest, Slots } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plausibleFact } from '../plausible-fact.ts';
import { hold } from '../property.ts';
import { openMachine } from '../small-machine.ts';
import type { Knobs } from '../small-machine.ts';

export interface CostSupport {
  readonly knobs?: readonly Knobs[];
}

/** Prices are finite, never negative, and depend on the fact alone. */
export function costSuite(manifest: Manifest, { knobs = [{}] }: CostSupport = {}): void {
  describe.each(knobs)(`slot cost: ${manifest.id} %j`, (knob) => {
    const create = (): CostPlugin =>
      manifest.create(manifest.config.parse(knob), {} as Slots, {} as MachineFacts) as CostPlugin;
    const isPrice = (cycles: number): boolean => Number.isFinite(cycles) && cycles >= 0;

    it('prices every fact that there is, each time the same', () => {
      const schemas = { ...kernelFacts, ...vocabularyFacts };
      const cost = create();
      hold(
        fc.property(plausibleFact(schemas, Object.keys(schemas), { cpus: 2, mms: 3 }), (fact) => {
          const cycles = cost.cyclesOf(fact);
          expect(isPrice(cycles), `${fact.type} costs ${cycles} cycles`).toBe(true);
          expect(cost.cyclesOf(fact)).toBe(cycles);
          expect(create().cyclesOf(fact)).toBe(cycles);
        }),
      );
      expect(isPrice(cost.ipiDeliveryCycles)).toBe(true);
    });

    it('weighs every counter of a machine, by its name wherever it stands', () => {
      const { counterNames } = openMachine({}).built.dataPlane;
      const cost = create();
      const weights = cost.weights(counterNames);
      expect(weights.length).toBe(counterNames.length);
      expect([...weights].every(isPrice)).toBe(true);
      expect([...cost.weights([...counterNames].reverse())].reverse()).toEqual([...weights]);
      expect(
        [...weights].some((weight) => weight > 0),
        'memory is free of charge',
      ).toBe(true);
    });
  });
}
