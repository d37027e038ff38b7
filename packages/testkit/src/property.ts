import fc from 'fast-check';

/** The seed of every property in the suites: the same tests everywhere, others with TABLEWALK_SEED=n. */
const SEED = Number(process.env['TABLEWALK_SEED'] ?? 1);

/** Holds a property to so many random cases. */
export function hold<Cases extends unknown[]>(property: fc.IPropertyWithHooks<Cases>, cases = 100): void {
  fc.assert(property, { seed: SEED, numRuns: cases });
}
