import { CodedError, present } from '@tablewalk/base';
import { cpusKey, ipisKey, processesKey, TrapKind } from '@tablewalk/contracts';
import type {
  AccessBatch,
  Alternative,
  ArenaImage,
  DataPlane,
  KernelFact,
  Programs,
  RecordedFact,
  Slots,
  Stimulus,
  Turn,
  View,
  VisibleStep,
} from '@tablewalk/contracts';
import type { Observable } from 'rxjs';
import { collectAlternatives, runningProcess } from './alternatives.ts';
import { copyWorld, worldDigest } from './fold.ts';
import type { NamedComponent, World } from './fold.ts';
import { Journal } from './journal.ts';
import type { Recorder } from './journal.ts';
import { measureFact, referencesRetired } from './measurement.ts';
import { actionsOf } from './play.ts';
import type { Play } from './play.ts';
import { PlayRunner } from './play-runner.ts';
import { deliverIpi, startThread, stepThread, violation } from './stepping.ts';
import type { Stage } from './stepping.ts';
import { Threads } from './threads.ts';

/** What compose makes of a machine file. */
export interface MachineParts {
  readonly cpus: number;
  readonly seed: number;
  readonly components: readonly NamedComponent[];
  /** All programs, by `slot/name`. */
  readonly programs: Programs;
  readonly slots: Pick<Slots, 'scheduler' | 'cost' | 'run-queue'>;
  readonly dataPlane: DataPlane;
  /** A story's tasks and scene, in place of processes with references. */
  readonly play?: Play;
}

export interface MachineOptions {
  readonly recorder?: Recorder;
  readonly folding?: 'direct' | 'immutable';
  /** Go on from where another machine stood still, instead of from nothing. */
  readonly from?: Standstill;
}

/** All that a machine is between two steps, beside its arenas. */
export interface Standstill {
  readonly world: World;
  readonly batches: ReadonlyMap<number, AccessBatch>;
  /** Stimuli taken so far. */
  readonly stimuli: number;
  /** What the arenas held, for a machine that has arenas of its own. */
  readonly image?: ArenaImage;
}

/** Why `run` came back. */
export type RunStatus =
  /** The next batch of a process must be offered. */
  | { readonly kind: 'needs-batch'; readonly mm: number }
  /** The scheduler leaves the next choice to whoever is outside. */
  | { readonly kind: 'needs-choice'; readonly enabled: readonly Alternative[] }
  | { readonly kind: 'finished' }
  | { readonly kind: 'violated'; readonly by: RecordedFact }
  | { readonly kind: 'paused' };

export interface RunLimits {
  /** Stop before the fact with this number is appended by a new step (a step is never cut in two). */
  readonly untilFact?: number;
  /** Stop when exactly so many references have retired on the whole machine. */
  readonly untilReferences?: number;
  /** Come back at the first violation (default), or run on. */
  readonly runThroughViolations?: boolean;
  /** Come back as soon as this holds between two steps. */
  readonly until?: (machine: Machine) => boolean;
}

/** Faults at one place without any access retired between: the routine mends nothing. */
const FAULTS_WITHOUT_PROGRESS_MAX = 8;

/**
 * A machine in motion: it takes stimuli, lets the scheduler choose among what may happen next, and
 * appends the facts. It is synchronous, and knows neither tables nor policies.
 */
export class Machine {
  readonly journal: Journal;
  private readonly threads: Threads;
  private readonly batches = new Map<number, AccessBatch>();
  private readonly enabled: Alternative[] = [];
  private faultsWithoutProgress = 0;
  private choice: number | undefined;
  private untilReferences = Infinity;
  private readonly turn: Turn;
  private readonly weights: Float64Array;
  private readonly stage: Stage;
  private readonly player: PlayRunner | undefined;

  constructor(
    private readonly parts: MachineParts,
    options: MachineOptions = {},
  ) {
    this.journal = new Journal({
      components: parts.components,
      cpus: parts.cpus,
      seed: parts.seed,
      cost: parts.slots.cost,
      dataPlane: parts.dataPlane,
      folding: options.folding ?? 'direct',
      ...(options.recorder === undefined ? {} : { recorder: options.recorder }),
      ...(options.from === undefined ? {} : { world: options.from.world }),
    });
    if (options.from !== undefined) {
      this.journal.stimulus = options.from.stimuli - 1;
      for (const [mm, batch] of options.from.batches) this.batches.set(mm, batch);
    }
    this.threads = new Threads(parts.programs, this.view);
    this.stage = stageOf(this.journal, this.threads);
    if (parts.play !== undefined) {
      const actions = actionsOf(parts.components);
      this.player = new PlayRunner(parts.play, actions, this.stage, this.journal, this.threads);
    }
    this.weights = parts.slots.cost.weights(parts.dataPlane.counterNames);
    const { journal } = this;
    this.turn = {
      get lastCpu() {
        return journal.world.lastCpu;
      },
      below: (bound) => journal.below(bound, SCHEDULE_STREAM),
    };
  }

  get world(): World {
    return this.journal.world;
  }
  get view(): View {
    return this.journal.view;
  }
  get facts$(): Observable<RecordedFact> {
    return this.journal.facts$;
  }
  /** Digest of the world and of the arenas. */
  digest(): string {
    return `${worldDigest(this.world)}-${this.parts.dataPlane.digest()}`;
  }
  close(): void {
    this.journal.close();
  }

  /** Where the machine stands now; the world is a copy. */
  standstill(): Standstill {
    return {
      world: copyWorld(this.world),
      batches: new Map(this.batches),
      stimuli: this.journal.stimulus + 1,
    };
  }

  /** References that have retired on all CPUs. */
  get references(): number {
    return referencesRetired(this.view);
  }

  /** Takes something from outside: a process, its next batch, or its end; a choice; a place in the measured run. */
  offer(stimulus: Stimulus): void {
    this.journal.begin(stimulus);
    if (stimulus.kind === 'choice') {
      this.choice = stimulus.taken;
      return;
    }
    if (stimulus.kind === 'measure') {
      // What maintenance has counted since a CPU's last access belongs to what lies before.
      for (let cpu = 0; cpu < this.parts.cpus; cpu++) this.retire(cpu, 0);
      this.kernelFact(measureFact(stimulus, this.world, this.view), -1);
      this.journal.settle();
      return;
    }
    const { mm } = stimulus;
    if (stimulus.kind === 'process') this.kernelFact({ type: 'ProcessCreated', mm, name: stimulus.name }, -1);
    else if (stimulus.batch.count === 0) this.kernelFact({ type: 'ReferencesEnded', mm }, -1);
    else {
      this.batches.set(mm, stimulus.batch);
      this.kernelFact({ type: 'BatchSupplied', mm, batch: stimulus.index, count: stimulus.batch.count }, -1);
    }
    this.journal.settle();
  }

  /** Steps until something from outside is needed, or there is nothing left to do. */
  run(limits: RunLimits = {}): RunStatus {
    this.untilReferences = limits.untilReferences ?? Infinity;
    for (;;) {
      if (this.journal.violation !== undefined && limits.runThroughViolations !== true)
        return { kind: 'violated', by: this.journal.violation };
      if (limits.untilFact !== undefined && this.world.facts >= limits.untilFact) return { kind: 'paused' };
      if (limits.until?.(this) === true) return { kind: 'paused' };
      if (this.untilReferences < Infinity && this.references >= this.untilReferences)
        return { kind: 'paused' };
      const wanting = this.collect();
      if (wanting !== undefined) return { kind: 'needs-batch', mm: wanting };
      const rule = this.standsStill() ? this.stuckRule() : undefined;
      if (rule === undefined && this.enabled.length === 0) return { kind: 'finished' };
      if (rule !== undefined) {
        this.kernelFact(violation(rule, this.firstBusyCpu(), this.world.facts), this.firstBusyCpu());
        this.journal.settle();
        return { kind: 'violated', by: present(this.journal.violation, 'violation') };
      }
      const chosen = this.choose();
      if (chosen === undefined) return { kind: 'needs-choice', enabled: this.enabled };
      this.take(chosen);
    }
  }

  /** Collects what may happen next; answers the process whose next batch must be known before that can be said. */
  private collect(): number | undefined {
    if (this.player !== undefined) {
      this.player.collect(this.enabled);
      return undefined;
    }
    // Before anything is scheduled it is known whether a process has come to its end.
    const wanting = this.processWantingBatch();
    if (wanting !== undefined) return wanting;
    this.enterKernel();
    const { ipiDeliveryCycles } = this.parts.slots.cost;
    collectAlternatives(this.enabled, this.view, this.world, this.threads, ipiDeliveryCycles);
    return undefined;
  }

  private choose(): Alternative | undefined {
    const offered = this.choice;
    this.choice = undefined;
    const taken = offered ?? this.parts.slots.scheduler.choose(this.enabled, this.turn);
    if (taken === undefined) return undefined;
    const chosen = this.enabled[taken];
    if (chosen !== undefined) return chosen;
    throw new CodedError('SCHEDULE_OUT_OF_RANGE', {
      what: `the schedule takes alternative ${taken} where there are ${this.enabled.length}`,
      why: 'a schedule fits only the machine and the work that it was made for',
      at: `fact ${this.world.facts}`,
    });
  }

  /** No CPU is inside a kernel routine, and no interrupt is under way. */
  quiescent(): boolean {
    return this.view(cpusKey).every((cpu) => cpu.stack.length === 0) && this.view(ipisKey).open.length === 0;
  }

  /** What each CPU waits for, for people. */
  blockedReasons(): string[] {
    return this.view(cpusKey).map((_, cpu) => {
      const step = this.threads.top(cpu)?.step;
      return step === undefined || step.kind === 'read' ? '' : (step.reason ?? '');
    });
  }

  /** The step that a task (-1: whatever runs on the CPU) takes next. */
  nextStep(cpu: number, task: number): VisibleStep | undefined {
    return (task < 0 ? this.threads.top(cpu) : this.threads.ofTask(cpu, task))?.step;
  }

  /** Timer and idle: what begins without anybody's choice. */
  private enterKernel(): void {
    const cpus = this.view(cpusKey);
    const runQueue = this.parts.slots['run-queue'];
    for (let cpu = 0; cpu < cpus.length; cpu++) {
      const state = present(cpus[cpu], 'cpu');
      if (state.stack.length > 0) continue;
      const process = runningProcess(this.view, cpu);
      if (process === undefined) {
        if (runQueue.waiting(this.view, cpu)) startThread(this.stage, cpu, 'run-queue/schedule', [], false);
      } else if (process.position === process.count && process.ended)
        startThread(this.stage, cpu, 'mm/exit', [state.mm], false);
      else if (runQueue.remaining(this.view, cpu) === 0)
        startThread(this.stage, cpu, 'run-queue/schedule', [], false);
    }
  }

  private processWantingBatch(): number | undefined {
    const cpus = this.view(cpusKey);
    for (let cpu = 0; cpu < cpus.length; cpu++) {
      const state = present(cpus[cpu], 'cpu');
      if (state.stack.length > 0) continue;
      const process = runningProcess(this.view, cpu);
      if (process !== undefined && process.position === process.count && !process.ended) return state.mm;
    }
    return undefined;
  }

  private take(alternative: Alternative): void {
    const { kind, cpu, time } = alternative;
    if (cpu >= 0) this.journal.waitUntil(cpu, time);
    if (this.player !== undefined) this.player.take(alternative);
    else if (kind === 'ipi') deliverIpi(this.stage, cpu);
    else if (kind === 'step') stepThread(this.stage, cpu);
    else this.runUser(cpu, this.parts.slots.scheduler.budget(alternative, this.enabled, this.turn));
    this.journal.settle();
    this.player?.judge();
    // Faults in a row are no part of the world, and a run that goes on from here must not be cut as this one may be.
    if (kind === 'user' && this.faultsWithoutProgress === 0 && this.references < this.untilReferences)
      this.journal.rest();
  }

  /** Runs the CPU's process until the budget is used up or something traps. */
  private runUser(cpu: number, budget: number): void {
    const { mm, asid, ttbr } = present(this.view(cpusKey)[cpu], 'cpu');
    const { position, count } = present(this.view(processesKey)[mm], 'process');
    const batch = present(this.batches.get(mm), 'batch');
    const remaining = this.parts.slots['run-queue'].remaining(this.view, cpu);
    let to = Math.min(count, position + Math.max(1, Math.min(budget, remaining)));
    if (this.untilReferences < Infinity) to = Math.min(to, position + this.untilReferences - this.references);
    const reached = this.parts.dataPlane.run(cpu, { asid, ttbr }, batch, position, to);
    this.retire(cpu, reached - position);
    if (reached > position) this.faultsWithoutProgress = 0;
    if (reached < to) this.trap(cpu, mm);
  }

  /** The next `count` references of the process on a CPU have retired; a fact tells what was counted meanwhile. */
  private retire(cpu: number, count: number): void {
    const { dataPlane } = this.parts;
    const counters = dataPlane.takeCounters(cpu);
    if (count === 0 && counters.length === 0) return;
    const { mm } = present(this.view(cpusKey)[cpu], 'cpu');
    const { position: from, batch: index } = present(this.view(processesKey)[mm], 'process');
    const batch = Math.max(0, index);
    const digest = dataPlane.outcomeWord(cpu);
    const fact: KernelFact = { type: 'BatchRetired', cpu, mm, batch, from, count, digest, counters };
    this.kernelFact(fact, cpu, this.cyclesOf(counters));
  }

  private trap(cpu: number, mm: number): void {
    const { kind, fault, status, level, vaLo, vaHi, pfn, write, fetch } = this.parts.dataPlane.trap;
    const va = vaHi * 2 ** 32 + vaLo;
    if (kind === TrapKind.watched) {
      this.kernelFact({ type: 'StaleTranslationUsed', cpu, mm, va, pfn, write }, cpu);
      return;
    }
    this.kernelFact({ type: 'AbortTaken', cpu, mm, va, kind: fault, status, level, write, fetch }, cpu);
    this.faultsWithoutProgress += 1;
    if (this.faultsWithoutProgress > FAULTS_WITHOUT_PROGRESS_MAX * this.parts.cpus)
      this.kernelFact({ ...violation('fault-loop', cpu, this.world.facts - 1), va }, cpu);
    startThread(this.stage, cpu, 'mm/fault', [mm, va, Number(write), Number(fetch), fault, level], false);
  }

  private cyclesOf(counters: readonly number[]): number {
    let cycles = 0;
    for (let i = 0; i < counters.length; i += 2)
      cycles += (this.weights[counters[i] as number] as number) * (counters[i + 1] as number);
    return cycles;
  }

  private kernelFact(fact: KernelFact, cpu: number, cycles?: number): void {
    this.journal.append(fact, 'kernel', cpu, cycles);
  }

  private standsStill(): boolean {
    return this.enabled.length === 0 || this.player?.onlyIdle(this.enabled) === true;
  }

  private stuckRule(): string | undefined {
    if (this.player !== undefined) return this.player.stuckRule();
    return this.view(cpusKey).some((cpu) => cpu.stack.length > 0) ? 'deadlock' : undefined;
  }
  private firstBusyCpu(): number {
    return Math.max(
      0,
      this.view(cpusKey).findIndex((cpu) => cpu.stack.length > 0),
    );
  }
}

/** Keeps the scheduler's draws apart from the components'. */
const SCHEDULE_STREAM = 0x5eed;

/** The journal and the live threads, as what steps are taken on. */
function stageOf(journal: Journal, threads: Threads): Stage {
  return {
    view: journal.view,
    append: (fact, by, cpu) => {
      journal.append(fact, by, cpu);
    },
    issue: (command, cpu) => journal.issue(command, cpu),
    stepOf: (cpu) => threads.top(cpu)?.step,
    startThread: (cpu, program, args, irq) => threads.start(cpu, program, args, irq).step !== undefined,
    feedThread(cpu, reply) {
      const live = present(threads.top(cpu), 'thread');
      // The step has been recorded: a thread that was revived just now has this reply in its log already.
      if (live.fed < present(journal.view(cpusKey)[cpu]?.stack.at(-1), 'thread').log.length) live.feed(reply);
      return live.step !== undefined;
    },
    popThread: (cpu) => {
      threads.finish(cpu);
    },
    taskOf: (cpu) => journal.view(cpusKey)[cpu]?.task ?? -1,
  };
}
