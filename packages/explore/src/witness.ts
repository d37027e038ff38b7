import { assert, CodedError, present } from '@tablewalk/base';
import type { Alternative, Fact, KernelFactOf, RecordedFact, VisibleStep } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';
import type { WitnessStep } from './result.ts';
import type { StateSpace } from './state-space.ts';

/** Places in the lists of what was enabled, for movers that follow each other from the beginning. */
export function scheduleOf(space: StateSpace, movers: readonly number[]): number[] {
  const row = Int32Array.from(space.initial);
  return movers.map((taken) => {
    let place = -1;
    let enabled = 0;
    space.movers.forEach((_, mover) => {
      if (mover === taken) place = enabled;
      if (space.at(row, mover).enabled) enabled += 1;
    });
    const { enabled: possible, written } = space.at(row, taken);
    assert(possible && place >= 0, 'a path takes a mover that is not enabled');
    written.cells.forEach((cell, i) => {
      row[cell] = written.numbers[i] as number;
    });
    return place;
  });
}

export interface Played {
  readonly steps: readonly WitnessStep[];
  readonly violation: RecordedFact | undefined;
}

/**
 * Plays a schedule on a machine, which records it if it was started with a recorder. The machine decides
 * everything again by the ordinary path: what it comes to is the evidence, not what the search thought.
 */
export function playSchedule(machine: Machine, space: StateSpace, schedule: readonly number[]): Played {
  const facts: RecordedFact[] = [];
  const listening = machine.facts$.subscribe((recorded) => facts.push(recorded));
  const steps: WitnessStep[] = [];
  let status = machine.run();
  assert(status.kind === 'needs-choice', 'a play begins with the choice that sets the scene');
  machine.offer({ kind: 'choice', taken: 0, of: 1 });
  status = machine.run();
  for (const [i, taken] of schedule.entries()) {
    if (status.kind !== 'needs-choice') throw tooLong(schedule, i);
    const chosen = present(status.enabled[taken] ?? refuse(taken, status.enabled.length, i), 'alternative');
    const { actor, label, what } = describe(chosen, machine, space);
    const { kind, cpu } = chosen;
    facts.length = 0;
    machine.offer({ kind: 'choice', taken, of: status.enabled.length });
    status = machine.run();
    const happened = facts.filter(({ fact }) => !BOOKKEEPING.has(fact.type));
    const violation = happened.find(({ fact }) => fact.type === 'PropertyViolated');
    steps.push({
      step: i + 1,
      actor,
      cpu,
      label: label ?? labelOf(kind, facts, what),
      facts: happened.filter((recorded) => recorded !== violation),
      ...(violation === undefined ? {} : { violation }),
    });
  }
  listening.unsubscribe();
  return { steps, violation: machine.journal.violation };
}

const BOOKKEEPING: ReadonlySet<string> = new Set([
  'StepTaken',
  'ThreadStarted',
  'ThreadFinished',
  'TaskSwitched',
]);

/** Who moves, and what it does as far as that can be said before it has. */
function describe(
  { kind, cpu, which = -1 }: Alternative,
  machine: Machine,
  { staged, actions }: StateSpace,
): { readonly actor: string; readonly label?: string; readonly what?: string } {
  if (kind === 'action') {
    const { actor, label } = present(actions[which], 'action');
    return { actor, label };
  }
  const actor = kind === 'task' ? present(staged.play.tasks[which], 'task').name : `IRQ on CPU ${cpu}`;
  if (kind === 'ipi') return { actor, label: 'takes the interrupt' };
  const step: VisibleStep | undefined = machine.nextStep(cpu, kind === 'task' ? which : -1);
  if (step?.kind === 'await') return { actor, label: `goes on: ${step.reason}` };
  return step?.kind === 'read' && step.what !== undefined ? { actor, what: step.what } : { actor };
}

/** What a step did, from its facts. */
function labelOf(kind: Alternative['kind'], facts: readonly RecordedFact[], what?: string): string {
  const did = facts.find(({ fact }) => !BOOKKEEPING.has(fact.type))?.fact;
  if (did !== undefined) return factLabel(did);
  const reply = (
    facts.find(({ fact }) => fact.type === 'StepTaken')?.fact as KernelFactOf<'StepTaken'> | undefined
  )?.reply;
  const seen = (reply ?? []).map((number) => (number < 4096 ? String(number) : `0x${number.toString(16)}`));
  if (what !== undefined) return `reads ${what}: ${seen.join(' ') || 'none'}`;
  if (seen.length === 0) return kind === 'step' ? 'goes on' : 'nothing to do';
  return `reads ${seen.join(' ')}`;
}

const words = (type: string): string => type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
/** The type in words, and the names in it; numbers stand with the facts. */
function factLabel(fact: Fact): string {
  const { type, ...fields } = fact as Fact & Record<string, unknown>;
  const names = Object.values(fields).filter((value) => typeof value === 'string' && value !== '');
  return [words(type), names.join(' ')].filter(Boolean).join(': ');
}

const refuse = (taken: number, enabled: number, step: number): never => {
  throw new CodedError('SCHEDULE_OUT_OF_RANGE', {
    what: `step ${step + 1} of the schedule takes alternative ${taken}, where there are ${enabled}`,
    why: 'a schedule fits only the story, the variant and the overrides that it was printed for',
    fix: 'use the whole command that was printed with it',
    at: '--schedule',
  });
};
const tooLong = (schedule: readonly number[], step: number): CodedError =>
  new CodedError('SCHEDULE_TOO_LONG', {
    what: `the schedule has ${schedule.length} steps, and the play has ended after ${step}`,
    why: 'a schedule fits only the story, the variant and the overrides that it was printed for',
    fix: 'use the whole command that was printed with it',
    at: '--schedule',
  });
