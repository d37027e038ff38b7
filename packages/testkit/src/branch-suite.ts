import { prngBelow, prngSeed } from '@tablewalk/base';
import type { RecordedFact } from '@tablewalk/contracts';
import { Comparison, Fold, worldDigest } from '@tablewalk/machine';
import type { Divergence, World } from '@tablewalk/machine';
import { describe, expect, it } from 'vitest';
import { deepFreeze, notPlain, samePlain, throughJson } from './plain-data.ts';
import { offerProcesses, runOn, runSmall } from './run-small.ts';
import type { SmallRun, Work } from './run-small.ts';
import { openMachine } from './small-machine.ts';
import type { SmallMachine } from './small-machine.ts';
import { syntheticTrace } from './synthetic-trace.ts';

/** Three processes that together touch more pages than a small machine has. */
export const PRESSING_WORK: Work = [11, 12, 13].map((seed) =>
  syntheticTrace({ seed, references: 360, pages: 64 }),
);

/**
 * No plugin keeps a state outside its slice, writes its slice where it decides, or puts into it what
 * is no plain data. A machine is stopped between two steps at random moments, most of them in the
 * middle of routines; its world goes through JSON and, frozen, into a machine made anew: fresh plugin
 * instances, fresh reactions, every thread revived from its log. Only the arenas are handed on. The
 * facts must be those of a run that was never stopped. `slice` is the plugin's own: its facts of that
 * run are folded both ways.
 */
export function branchSuite(
  machine: SmallMachine,
  slice: string,
  seed = 1,
  work: Work = PRESSING_WORK,
): void {
  describe('in a machine under memory pressure', () => {
    let straight: SmallRun | undefined;
    const run = (): SmallRun => (straight ??= runSmall(openMachine(machine).built, work));

    it('goes on alike when its world went through JSON and its threads were revived from their logs', () => {
      expect(hiddenState(machine, work, run(), seed)).toBeUndefined();
    });

    it('decides facts that fold to the same world through immer and directly', () => {
      const { components, effective } = openMachine(machine).built;
      const own = components.filter(({ name }) => name === slice);
      expect(foldsApart(new Fold(own, effective.cpus), run().facts)).toBeUndefined();
    });
  });
}

const STOPS = 12;

function stopsWithin(facts: number, seed: number): number[] {
  const random = prngSeed(seed, 0x5107);
  const stops = Array.from({ length: STOPS }, () => prngBelow(random, facts));
  return [0, ...stops.sort((a, b) => a - b)];
}

/** Where a run that was stopped and revived went another way than the straight one; undefined where none did. */
export function hiddenState(
  machine: SmallMachine,
  work: Work,
  straight: SmallRun,
  seed: number,
): string | undefined {
  const stops = stopsWithin(straight.facts.length, seed);
  const recorder = new Comparison(straight.facts.values());
  const { dataPlane, script } = openMachine(machine).built;
  const fed: number[] = [];
  let current = openMachine(machine).built.start({ recorder }, dataPlane);
  offerProcesses(current, work);
  for (const [i, untilFact] of stops.entries()) {
    if (untilFact > 0) runOn(current, work, fed, script, { untilFact });
    if (recorder.divergence !== undefined) return explain(recorder.divergence, stops);
    const from = current.standstill();
    current.close();
    const problem = notPlain(from.world.slices);
    if (problem !== undefined) return `after ${untilFact} facts a slice is no plain data: ${problem}`;
    // Every other stretch is run on frozen worlds: slow, but there a `decide` that writes crashes.
    const folding = i % 2 === 0 ? 'immutable' : 'direct';
    const world = throughJson(from.world);
    if (folding === 'immutable') deepFreeze(world);
    current = openMachine(machine).built.start({ recorder, folding, from: { ...from, world } }, dataPlane);
  }
  runOn(current, work, fed, script, { untilFact: 2 * straight.facts.length });
  current.close();
  if (recorder.divergence !== undefined) return explain(recorder.divergence, stops);
  if (recorder.compared !== straight.facts.length)
    return `${recorder.compared} facts in place of ${straight.facts.length}`;
  const same = worldDigest(current.world) === worldDigest(straight.machine.world);
  return same ? undefined : 'the same facts, and another world at the end';
}

function explain({ seq, field, recorded, decided }: Divergence, stops: readonly number[]): string {
  const stop = [...stops].reverse().find((each) => each <= seq);
  return (
    `fact ${seq} differs in "${field}" after a stop at fact ${stop}: what lived outside slices and logs was lost.\n` +
    `straight on: ${JSON.stringify(recorded)}\nrevived:     ${JSON.stringify(decided)}`
  );
}

/** Folds both ways at once; the slices are compared now and then, the worlds at the end. */
function foldsApart(fold: Fold, facts: readonly RecordedFact[]): string | undefined {
  let immutable: World = fold.initial();
  const direct = fold.initial();
  for (const recorded of facts) {
    immutable = fold.immutable(immutable, recorded);
    fold.direct(direct, recorded);
    if (recorded.seq % 256 !== 0) continue;
    const apart = Object.keys(direct.slices).find(
      (name) => !samePlain(immutable.slices[name], direct.slices[name]),
    );
    if (apart !== undefined)
      return `slice ${apart} is not the same both ways, at the latest after fact ${recorded.seq}`;
  }
  return worldDigest(direct) === worldDigest(immutable)
    ? undefined
    : 'the worlds at the end are not the same both ways';
}
