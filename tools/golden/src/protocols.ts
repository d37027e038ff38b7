import { CodedError } from '@tablewalk/base';
import { stageModel } from '@tablewalk/compose';
import type { BuiltStory } from '@tablewalk/compose';
import type { View } from '@tablewalk/contracts';
import { explore } from '@tablewalk/explore';
import type { Exploration } from '@tablewalk/explore';
import { protocolRun } from '@tablewalk/stories';
import type { ProtocolRow, ProtocolRun, Staged } from '@tablewalk/stories';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tally } from './family.ts';
import type { Family } from './family.ts';

/** A row of golden/protocols/expected.json: what SPIN 6.5.2 found on one variant in one size. */
interface Row extends ProtocolRow {
  readonly verdict: 'violated' | 'holds';
  /** Steps to the first violation, or to the state in which everybody is stuck. */
  readonly shortestCounterexample: number | null;
  readonly states: number;
  readonly transitions: number;
  readonly finalStates: number;
  readonly violatingFinals: number;
  readonly stuckFinals: number;
}

/**
 * Protocols stated in words, with the counts of SPIN. The whole space is searched without any reduction, past
 * violations, and every count must be SPIN's; then with all reductions, where the verdict and the length of the
 * shortest counterexample must be the same.
 */
export const protocolsFamily: Family = {
  name: 'protocols',
  folders: (root) =>
    [root, ...readdirSync(root).map((name) => join(root, name))].filter(
      (folder) => rowsOf(folder).length > 0,
    ),
  compare(folder, progress) {
    const tally = new Tally('protocols');
    for (const row of rowsOf(folder)) {
      const what = `${row.model} ${row.variant} ${row.size}`;
      progress(what);
      const protocol = protocolIn(row);
      if (protocol === undefined) {
        tally.skip(`of ${row.model}, which no story states`);
        continue;
      }
      const built = stageModel(protocol.story, protocol.variant, protocol.knobs);
      tally.add(`${what}, every state`, wholeDiffers(row, built));
      tally.add(`${what}, reduced`, reducedDiffers(row, explore(built)));
    }
    return Promise.resolve(tally.result());
  },
};

function rowsOf(folder: string): Row[] {
  const file = join(folder, 'expected.json');
  if (!existsSync(file)) return [];
  const rows = JSON.parse(readFileSync(file, 'utf8')) as unknown;
  return Array.isArray(rows) ? rows.filter(isRow) : [];
}

const isRow = (row: unknown): row is Row =>
  typeof row === 'object' && row !== null && 'model' in row && 'verdict' in row && 'states' in row;

function protocolIn(row: Row): ProtocolRun | undefined {
  try {
    return protocolRun(row);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'STORY_UNKNOWN') return undefined;
    throw error;
  }
}

/** Every count, with the outcomes as whole final states. */
function wholeDiffers(row: Row, { staged, restaged }: BuiltStory): string[] {
  const { observed: _some, ...everything } = staged;
  const found = explore(restaged(everything), {
    merges: false,
    partialOrder: false,
    symmetry: false,
    throughViolations: true,
  });
  const counted: Record<string, unknown> = {
    verdict: found.verdict,
    shortestCounterexample: found.violation?.schedule.length ?? null,
    states: found.states,
    transitions: found.transitions,
    finalStates: found.finalStates,
    violatingFinals: violating(everything, found),
    stuckFinals: found.stuckStates,
  };
  return Object.entries(counted).flatMap(([name, got]) => differs(name, row[name as keyof Row], got));
}

/** Final states in which something is that must never be: nobody takes back that it was. */
const violating = ({ play }: Staged, { outcomes = [] }: Exploration): number =>
  outcomes.filter((outcome) => {
    const slices = Object.fromEntries(JSON.parse(outcome) as [string, unknown][]);
    const view: View = ({ name }) => slices[name] as never;
    return (play.never ?? []).some(({ when }) => when(view));
  }).length;

const reducedDiffers = (row: Row, { verdict, violation }: Exploration): string[] => [
  ...differs('verdict', row.verdict, verdict),
  ...differs('shortestCounterexample', row.shortestCounterexample, violation?.schedule.length ?? null),
];

const differs = (name: string, expected: unknown, got: unknown): string[] =>
  expected === got ? [] : [`${name} expected ${String(expected)}, got ${String(got)}`];
