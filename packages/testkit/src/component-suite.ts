import { assert, InvariantError } from '@tablewalk/base';
import type { Fact, FactSchemas, RecordedFact } from '@tablewalk/contracts';
import { copyWorld, Fold, worldDigest } from '@tablewalk/machine';
import type { NamedComponent, World } from '@tablewalk/machine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze, notPlain, samePlain, throughJson } from './plain-data.ts';
import { plausibleFact } from './plausible-fact.ts';
import { hold } from './property.ts';

export interface ComponentUnderTest extends NamedComponent {
  /** Schemas of every fact that the component may hear: `BuiltMachine.schemas`. */
  readonly schemas: FactSchemas;
  readonly cpus: number;
  /**
   * Facts that come before the random ones. The kernel's own components refuse what cannot happen (a
   * step of a thread that does not run), so they are given a world in which much can.
   */
  readonly prologue?: readonly Fact[];
  /** May `evolve` refuse a fact, with an InvariantError and before it writes? No plugin's may. */
  readonly refuses?: boolean;
}

/** Address spaces that random facts speak of. */
export const PLAUSIBLE_MMS = 4;
const FACTS_MAX = 60;

/**
 * What every component owes to replay: `evolve` means the same through immer and directly, it is total,
 * it writes neither the fact nor anything outside its slice, and the slice is plain data.
 */
export function componentSuite(under: ComponentUnderTest, runs = 60): void {
  describe(`component ${under.name}`, () => {
    it('evolves the same through immer and directly, after every fact', () => {
      const { evolvesOn } = under.component;
      if (evolvesOn.length === 0) return bothWays(under, []);
      const fact = plausibleFact(under.schemas, evolvesOn, { cpus: under.cpus, mms: PLAUSIBLE_MMS });
      let folded = 0;
      let refused = 0;
      hold(
        fc.property(
          fc.array(fc.tuple(fact, fc.integer({ min: -1, max: under.cpus - 1 })), { maxLength: FACTS_MAX }),
          (facts) => {
            const refusals = bothWays(under, facts);
            refused += refusals;
            folded += facts.length - refusals;
          },
        ),
        runs,
      );
      if (folded < refused)
        expect.fail(
          `${refused} facts were refused and only ${folded} folded: the prologue allows too little`,
        );
    });

    it('begins as plain data, the same each time', () => {
      const [first, second] = [under.component.initial() as unknown, under.component.initial() as unknown];
      expect(notPlain(first)).toBeUndefined();
      expect(second).toEqual(first);
      if (typeof first === 'object' && first !== null)
        expect(second, 'two worlds would share it').not.toBe(first);
    });
  });
}

/** Folds a sequence both ways and holds the worlds together. Answers how many facts were refused. */
export function bothWays(under: ComponentUnderTest, facts: readonly (readonly [Fact, number])[]): number {
  const { name, component, cpus, prologue = [] } = under;
  const fold = new Fold([{ name, component }], cpus);
  let immutable = deepFreeze(fold.initial());
  let direct = fold.initial();
  let refused = 0;
  const all = [...prologue.map((fact) => [fact, cpuOf(fact)] as const), ...facts];
  for (const [fact, cpu] of all) {
    const seq = immutable.facts;
    const recorded: RecordedFact = deepFreeze({
      seq,
      by: 'test',
      cpu,
      time: seq * 3,
      stimulus: 0,
      fact: throughJson(fact),
    });
    const before = immutable;
    const first = attempt(() => (immutable = fold.immutable(immutable, recorded)));
    const second = attempt(() => fold.direct(direct, recorded));
    expect(second, `the two ways disagree on ${JSON.stringify(fact)}`).toEqual(first);
    if (first !== undefined) {
      assert(under.refuses === true, `evolve of ${name} is not total: ${first} at ${JSON.stringify(fact)}`);
      refused += 1;
      expect(immutable).toBe(before);
      direct = copyWorld(immutable);
      continue;
    }
    compare(immutable, direct, name, fact);
  }
  return refused;
}

const cpuOf = (fact: Fact): number => (fact as { cpu?: number }).cpu ?? -1;

/** The message of an invariant that broke; anything else that is thrown is a fault of the test's subject. */
function attempt(fold: () => unknown): string | undefined {
  try {
    fold();
    return undefined;
  } catch (error) {
    if (error instanceof InvariantError) return error.message;
    throw error;
  }
}

function compare(immutable: World, direct: World, name: string, fact: Fact): void {
  const problem = notPlain(immutable.slices[name], name);
  if (problem !== undefined)
    expect.fail(`after ${JSON.stringify(fact)} the slice is no plain data: ${problem}`);
  if (!samePlain(immutable, direct)) expect(direct, `after ${JSON.stringify(fact)}`).toEqual(immutable);
  if (!samePlain(throughJson(direct), direct)) expect(throughJson(direct), 'through JSON').toEqual(direct);
  if (worldDigest(immutable) !== worldDigest(direct))
    expect.fail(`equal worlds, unequal digests after ${JSON.stringify(fact)}`);
}
