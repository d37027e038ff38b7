import { prngSeed } from '@tablewalk/base';
import type {
  MachineFacts,
  Manifest,
  ReplacementPlugin,
  ReplacementPolicy,
  Slots,
} from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';

export interface ReplacementSupport {
  /** Knobs to try, each as a config of its own. */
  readonly knobs?: readonly Knobs[];
}

const GUARD = -0x5a5a5a5a;
const SETS = 3;
const WAYS = [1, 2, 3, 4, 8, 16, 33, 64];

/** The rules of contracts/replacement.ts, on lanes of several sets with guard words around them. */
export function replacementSuite(manifest: Manifest, { knobs = [{}] }: ReplacementSupport = {}): void {
  describe.each(knobs)(`slot replacement: ${manifest.id} %j`, (knob) => {
    const plugin = manifest.create(
      manifest.config.parse(knob),
      {} as Slots,
      {} as MachineFacts,
    ) as ReplacementPlugin;
    const { policy } = plugin;
    const served = WAYS.filter((ways) => policy.refuses?.(ways) === undefined);

    it('serves some associativity, and says why where it does not', () => {
      expect(served.length).toBeGreaterThan(0);
      for (const ways of WAYS) expect(policy.refuses?.(ways) ?? 'no reason').toMatch(/\w+ \w+/);
    });

    it('chooses a way of the set, writes its own lane and its globals only, and forgets by reset', () => {
      hold(
        fc.property(fc.constantFrom(...served), operations, (ways, uses) => {
          const array = new LaneArray(policy, ways);
          for (const use of uses) array.apply(use);
          array.checkGuards();
          const set = uses.at(-1)?.set ?? 0;
          array.policy.reset(array.lane, array.base(set), ways);
          expect(array.laneOf(set)).toEqual(new LaneArray(policy, ways).laneOf(set));
        }),
      );
    });

    it('leaves the lanes of other sets alone', () => {
      hold(
        fc.property(fc.constantFrom(...served), operations, (ways, uses) => {
          const array = new LaneArray(policy, ways);
          for (const use of uses) {
            const others = [0, 1, 2].filter((set) => set !== use.set);
            const before = others.map((set) => array.laneOf(set));
            array.apply(use);
            expect(others.map((set) => array.laneOf(set))).toEqual(before);
          }
        }),
      );
    });

    it('changes nothing when the way that was used last is touched again', () => {
      hold(
        fc.property(fc.constantFrom(...served), operations, (ways, uses) => {
          const array = new LaneArray(policy, ways);
          for (const use of uses) {
            const way = array.apply(use);
            const before = array.lane.slice();
            policy.touch(array.lane, array.base(use.set), ways, way);
            expect(array.lane).toEqual(before);
          }
        }),
      );
    });

    it(
      policy.ignoresHits === true
        ? 'ignores hits, as it says'
        : 'is a function of its lane and the generator',
      () => {
        hold(
          fc.property(fc.constantFrom(...served), operations, (ways, uses) => {
            const [one, other] = [new LaneArray(policy, ways), new LaneArray(policy, ways)];
            for (const use of uses) {
              if (policy.ignoresHits === true && use.hit) continue;
              expect(other.apply(use)).toBe(one.apply(use));
            }
            if (policy.ignoresHits !== true) return;
            const before = one.lane.slice();
            for (let way = 0; way < ways; way++) policy.touch(one.lane, one.base(0), ways, way);
            expect(one.lane).toEqual(before);
          }),
        );
      },
    );

    if (policy.stack === true)
      it('is LRU, as it says: engines may keep the order of use in its place', () => {
        hold(
          fc.property(fc.constantFrom(...served), operations, (ways, uses) => {
            const array = new LaneArray(policy, ways);
            const orders = Array.from({ length: SETS }, () => [] as number[]);
            const use = (set: number, way: number): void => {
              const order = orders[set] as number[];
              if (order.includes(way)) order.splice(order.indexOf(way), 1);
              order.push(way);
            };
            // Engines fill every way before they ask for a victim.
            for (let set = 0; set < SETS; set++)
              for (let way = 0; way < ways; way++) {
                policy.fill(array.lane, array.base(set), ways, way, 0);
                use(set, way);
              }
            for (const one of uses) {
              const oldest = orders[one.set]?.[0];
              const way = array.apply(one);
              if (!one.hit) expect(way).toBe(oldest);
              use(one.set, way);
            }
          }),
        );
      });

    it('misses no less often than the optimum, which knows the future (Belady 1966)', () => {
      const small = served.filter((ways) => ways <= 8);
      hold(
        fc.property(
          fc.constantFrom(...small),
          fc.array(fc.nat(11), { maxLength: 150 }),
          (ways, references) => {
            expect(missesOf(policy, ways, references)).toBeGreaterThanOrEqual(
              optimalMisses(ways, references),
            );
          },
        ),
      );
    });
  });
}

interface Use {
  readonly set: number;
  readonly hit: boolean;
  readonly way: number;
}
const operations: fc.Arbitrary<Use[]> = fc.array(
  fc.record({ set: fc.nat(SETS - 1), hit: fc.boolean(), way: fc.nat(63) }),
  { minLength: 1, maxLength: 120 },
);

/** Three sets and the globals, as an engine lays them out, with guard words before, between and after. */
class LaneArray {
  readonly lane: Int32Array;
  private readonly stride: number;
  private readonly globals: number;
  private readonly random = prngSeed(5);

  constructor(
    readonly policy: ReplacementPolicy,
    private readonly ways: number,
  ) {
    const words = policy.words(ways);
    expect(Number.isSafeInteger(words) && words >= 0).toBe(true);
    this.stride = words + 1;
    this.globals = 1 + SETS * this.stride;
    this.lane = new Int32Array(this.globals + (policy.globalWords ?? 0) + 1).fill(GUARD);
    for (let set = 0; set < SETS; set++) {
      // What stood there before must not matter.
      this.lane.fill(set === 0 ? 0 : 0x7fffffff, this.base(set), this.base(set) + words);
      policy.reset(this.lane, this.base(set), ways);
    }
    this.lane.fill(0, this.globals, this.globals + (policy.globalWords ?? 0));
  }

  base(set: number): number {
    return 1 + set * this.stride;
  }
  laneOf(set: number): number[] {
    return [...this.lane.subarray(this.base(set), this.base(set) + this.stride - 1)];
  }

  /** A hit on a way, or a fill of the way that the policy chooses. Answers the way. */
  apply({ set, hit, way }: Use): number {
    const { policy, lane, ways, globals } = this;
    if (hit) {
      policy.touch(lane, this.base(set), ways, way % ways);
      return way % ways;
    }
    const victim = policy.victim(lane, this.base(set), ways, this.random, globals);
    expect(
      Number.isSafeInteger(victim) && victim >= 0 && victim < ways,
      `victim ${victim} of ${ways} ways`,
    ).toBe(true);
    policy.fill(lane, this.base(set), ways, victim, globals);
    return victim;
  }

  checkGuards(): void {
    const at = [
      0,
      ...Array.from({ length: SETS }, (_, set) => this.base(set) + this.stride - 1),
      this.lane.length - 1,
    ];
    for (const guard of at) expect(this.lane[guard], `guard word ${guard}`).toBe(GUARD);
  }
}

/** One fully associative set, filled as an engine fills it: invalid ways first, the lowest one first. */
function missesOf(policy: ReplacementPolicy, ways: number, references: readonly number[]): number {
  const globals = policy.words(ways);
  const lane = new Int32Array(globals + (policy.globalWords ?? 0));
  policy.reset(lane, 0, ways);
  const random = prngSeed(9);
  const held: (number | undefined)[] = Array.from({ length: ways }, () => undefined);
  let misses = 0;
  for (const page of references) {
    const at = held.indexOf(page);
    if (at >= 0) {
      policy.touch(lane, 0, ways, at);
      continue;
    }
    misses += 1;
    const invalid = policy.ownsInvalidWays === true ? -1 : held.indexOf(undefined);
    const way = invalid >= 0 ? invalid : policy.victim(lane, 0, ways, random, globals);
    held[way] = page;
    policy.fill(lane, 0, ways, way, globals);
  }
  return misses;
}

/** Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 5(2), 1966: MIN. */
function optimalMisses(ways: number, references: readonly number[]): number {
  const held = new Set<number>();
  let misses = 0;
  references.forEach((page, now) => {
    if (held.has(page)) return;
    misses += 1;
    if (held.size === ways) held.delete(furthest([...held], references, now));
    held.add(page);
  });
  return misses;
}

function furthest(held: readonly number[], references: readonly number[], now: number): number {
  const next = (page: number): number => {
    const at = references.indexOf(page, now);
    return at < 0 ? Infinity : at;
  };
  return held.reduce((worst, page) => (next(page) > next(worst) ? page : worst));
}
