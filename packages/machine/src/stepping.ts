import { assert, present } from '@tablewalk/base';
import { cpusKey, ipisKey, preemptible } from '@tablewalk/contracts';
import type { Command, Fact, IpiState, KernelFact, Reply, View, VisibleStep } from '@tablewalk/contracts';

/**
 * How a step is taken, whoever keeps the world: the journal of a run, or the explorer's memo. One code
 * serves both, so that what is explored is what runs.
 */
export interface Stage {
  readonly view: View;
  append(fact: Fact, by: string, cpu: number): void;
  /** Has the named component decide, and appends what it answers. */
  issue(command: Command, cpu: number): readonly Fact[];
  /** The step that the innermost thread of a CPU waits at. */
  stepOf(cpu: number): VisibleStep | undefined;
  /** Pushes a thread on the CPU's stack; false when its program ended at once. */
  startThread(cpu: number, program: string, args: readonly number[], irq: boolean): boolean;
  /** Tells the innermost thread what its step observed; false when that ended its program. */
  feedThread(cpu: number, reply: Reply): boolean;
  popThread(cpu: number): void;
  /** The task whose turn it is on a CPU; -1 in an interrupt handler's step, and where there are no tasks. */
  taskOf(cpu: number): number;
}

/** The oldest interrupt that a CPU has not taken yet. */
export function pendingIpi(open: readonly IpiState[], cpu: number): IpiState | undefined {
  for (let i = 0; i < open.length; i++) {
    const ipi = open[i] as IpiState;
    if (ipi.to === cpu && !ipi.delivered) return ipi;
  }
  return undefined;
}

/** Does the guard of a step hold, if it has one? */
export function stepEnabled(step: VisibleStep, view: View): boolean {
  const guard = step.kind === 'await' ? step.until : step.kind === 'issue' ? step.when : undefined;
  return guard === undefined || guard(view);
}

/** May a CPU take an interrupt now? Not with IRQs off, and not inside a handler. */
export const takesInterrupts = (view: View, cpu: number, inHandler: boolean): boolean =>
  !inHandler && view(cpusKey)[cpu]?.irqsOff === 0;

export function deliverIpi(stage: Stage, cpu: number): void {
  const ipi = present(pendingIpi(stage.view(ipisKey).open, cpu), 'ipi');
  kernelFact(stage, { type: 'IpiDelivered', id: ipi.id, cpu }, cpu);
  startThread(stage, cpu, ipi.program, [ipi.id, ...ipi.args], true);
}

export function startThread(
  stage: Stage,
  cpu: number,
  program: string,
  args: readonly number[],
  irq: boolean,
): void {
  kernelFact(stage, { type: 'ThreadStarted', cpu, program, args, irq }, cpu);
  if (!stage.startThread(cpu, program, args, irq)) finishThread(stage, cpu);
}

/** Takes the step that the innermost thread of a CPU waits at; its guard holds. */
export function stepThread(stage: Stage, cpu: number): void {
  const reply = perform(stage, present(stage.stepOf(cpu), 'step'), cpu);
  kernelFact(stage, { type: 'StepTaken', cpu, reply }, cpu);
  if (stage.feedThread(cpu, reply)) watchWaiting(stage, cpu);
  else finishThread(stage, cpu);
}

/**
 * smp_call_function_many warns when its caller has IRQs off: two such callers wait for each other for ever
 * (spec/historical-bugs-mapping.md, HB-8). The rule names the mistake before any schedule makes it bite.
 */
function watchWaiting(stage: Stage, cpu: number): void {
  const step = stage.stepOf(cpu);
  if (step?.kind !== 'await' || step.forIpi !== true) return;
  if (stage.view(cpusKey)[cpu]?.irqsOff === 0) return;
  kernelFact(
    stage,
    violation('waits for other CPUs to take an interrupt, with its own IRQs off', cpu, 0),
    cpu,
  );
}

function perform(stage: Stage, step: VisibleStep, cpu: number): Reply {
  if (step.kind === 'await') return NOTHING;
  if (step.kind === 'read') return checkedReply(step.look(stage.view));
  const facts = stage.issue(step.command, cpu);
  return step.pick === undefined ? NOTHING : checkedReply(step.pick(facts));
}

function finishThread(stage: Stage, cpu: number): void {
  stage.popThread(cpu);
  kernelFact(stage, { type: 'ThreadFinished', cpu }, cpu);
  watchEnd(stage, cpu);
}

/** A task may not end in a section that it has not left (do_exit complains of preempt_count, lockdep of locks). */
function watchEnd(stage: Stage, cpu: number): void {
  const task = stage.taskOf(cpu);
  if (task < 0 || stage.stepOf(cpu) !== undefined || preemptible(stage.view, cpu, task)) return;
  kernelFact(
    stage,
    violation('a task has ended with a lock held, or with IRQs or preemption off', cpu, 0),
    cpu,
  );
}

const kernelFact = (stage: Stage, fact: KernelFact, cpu: number): void => {
  stage.append(fact, 'kernel', cpu);
};

const NOTHING: Reply = [];

/** What is observed is recorded: it must be what a history can hold. */
function checkedReply(reply: Reply): Reply {
  for (const number of reply)
    assert(Number.isSafeInteger(number) && number >= 0, `a program observed ${number}, no natural number`);
  return reply;
}

/** What the kernel itself finds wrong. */
export function violation(
  rule: string,
  cpu: number,
  culprit: number,
): Extract<KernelFact, { type: 'PropertyViolated' }> {
  return {
    type: 'PropertyViolated',
    checker: 'kernel',
    rule,
    cpu: Math.max(0, cpu),
    culprit,
    evidence: culprit,
    va: 0,
    pfn: 0,
  };
}
