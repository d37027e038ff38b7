import { CodedError, present } from '@tablewalk/base';
import { cpusKey, ipisKey } from '@tablewalk/contracts';
import type { Action, Alternative, KernelFact } from '@tablewalk/contracts';
import type { Journal } from './journal.ts';
import { playAlternatives, stuckRule } from './play.ts';
import type { Play, Standing } from './play.ts';
import { deliverIpi, pendingIpi, startThread, stepEnabled, stepThread } from './stepping.ts';
import { takesInterrupts, violation } from './stepping.ts';
import type { Stage } from './stepping.ts';
import type { Threads } from './threads.ts';

/** Steps that a scene may take: it sets the stage, and does not go on for ever. */
const SCENE_STEPS_MAX = 100_000;

/** A play on a machine that records: the scene as one choice of one, then a choice for each step. */
export class PlayRunner {
  private readonly at: Standing;

  constructor(
    private readonly play: Play,
    private readonly actions: readonly Action[],
    private readonly stage: Stage,
    private readonly journal: Journal,
    private readonly threads: Threads,
  ) {
    const top = (cpu: number) => this.view(cpusKey)[cpu]?.stack.at(-1);
    this.at = {
      view: this.view,
      handlerOf: (cpu) => (top(cpu)?.irq === true ? this.threads.top(cpu)?.step : undefined),
      taskStep: (task) => this.threads.ofTask(present(this.play.tasks[task], 'task').cpu, task)?.step,
      runningTask: (cpu) => this.view(cpusKey)[cpu]?.task ?? -1,
    };
  }

  private get view() {
    return this.journal.view;
  }

  collect(enabled: Alternative[]): void {
    if (this.journal.world.facts > 0) {
      playAlternatives(enabled, this.at, this.play, this.actions);
      return;
    }
    enabled.length = 0;
    enabled.push({ kind: 'action', cpu: -1, which: CURTAIN, time: 0 });
  }

  take({ kind, cpu, which = -1 }: Alternative): void {
    if (kind === 'ipi') deliverIpi(this.stage, cpu);
    else if (kind === 'step') stepThread(this.stage, cpu);
    else if (kind === 'task') this.stepTask(cpu, which);
    else if (which === CURTAIN) this.setScene();
    else this.stage.issue(present(this.actions[which], 'action').command, -1);
  }

  /** After a step: says what must never be so, and is. */
  judge(): void {
    for (const { rule, when } of this.play.never ?? [])
      if (this.journal.violation === undefined && when(this.view)) {
        const last = Math.max(0, this.journal.world.facts - 1);
        this.fact({ ...violation(rule, 0, last), checker: 'never' }, -1);
        this.journal.settle();
      }
  }

  /** Can nothing happen but what no task waits for? */
  onlyIdle(enabled: readonly Alternative[]): boolean {
    return enabled.every(({ kind, which = -1 }) => kind === 'action' && this.actions[which]?.idle === true);
  }

  /** Why the play must not stand still here. */
  stuckRule(): string | undefined {
    return stuckRule(this.at, this.play);
  }

  private stepTask(cpu: number, task: number): void {
    if (this.at.runningTask(cpu) !== task) this.fact({ type: 'TaskSwitched', cpu, task }, cpu);
    stepThread(this.stage, cpu);
  }

  private setScene(): void {
    for (const step of this.play.scene)
      if ('process' in step) {
        this.fact({ type: 'ProcessCreated', mm: step.process, name: step.name }, -1);
        this.journal.settle();
      } else {
        startThread(this.stage, step.cpu, step.program, step.args, false);
        this.runToEnd();
      }
    this.play.tasks.forEach(({ cpu, program, args }, task) => {
      this.fact({ type: 'TaskSwitched', cpu, task }, cpu);
      startThread(this.stage, cpu, program, args, false);
    });
    // A history with no fact of its scene would begin again.
    if (this.journal.world.facts === 0) this.fact({ type: 'SceneSet' }, -1);
    this.journal.settle();
  }

  /** Whoever is first and can: in a scene there is nothing to choose. */
  private runToEnd(): void {
    for (let steps = 0; this.busy(); steps++) {
      const cpu = this.nextCpu();
      if (cpu === undefined || steps > SCENE_STEPS_MAX)
        throw new CodedError('SCENE_STUCK', {
          what: 'the scene of the story does not come to its end',
          why: cpu === undefined ? 'every CPU waits' : `${SCENE_STEPS_MAX} steps were not enough`,
          fix: 'let the programs of the scene depend on nothing that only tasks do',
        });
      if (cpu.ipi) deliverIpi(this.stage, cpu.cpu);
      else stepThread(this.stage, cpu.cpu);
      this.journal.settle();
    }
  }

  private busy(): boolean {
    return this.view(cpusKey).some((cpu) => cpu.stack.length > 0);
  }

  private nextCpu(): { readonly cpu: number; readonly ipi: boolean } | undefined {
    const cpus = this.view(cpusKey);
    const { open } = this.view(ipisKey);
    for (let cpu = 0; cpu < cpus.length; cpu++) {
      const inHandler = cpus[cpu]?.stack.at(-1)?.irq === true;
      if (takesInterrupts(this.view, cpu, inHandler) && pendingIpi(open, cpu) !== undefined)
        return { cpu, ipi: true };
      const step = this.threads.top(cpu)?.step;
      if (step !== undefined && stepEnabled(step, this.view)) return { cpu, ipi: false };
    }
    return undefined;
  }

  private fact(fact: KernelFact, cpu: number): void {
    this.journal.append(fact, 'kernel', cpu);
  }
}

/** The number of the action that sets the scene. */
const CURTAIN = -1;
