import { assert, present } from '@tablewalk/base';
import {
  accessBatch,
  AccessKind,
  cpusKey,
  ipisKey,
  PIECES_PER_ACCESS_MAX,
  processesKey,
  pushAccess,
  translatedBatch,
  TrapKind,
} from '@tablewalk/contracts';
import type {
  Fact,
  IpiState,
  RecordedFact,
  Routine,
  Reply,
  TlbModel,
  TlbModelParts,
  TrapKind as Trapped,
  View,
  VisibleStep,
} from '@tablewalk/contracts';
import { Journal } from '@tablewalk/machine';
import { openMachine } from './small-machine.ts';
import type { OpenMachine, SmallMachine } from './small-machine.ts';

/** A routine on its CPU. */
export interface Job<T = unknown> {
  readonly cpu: number;
  readonly routine: Routine<T>;
}

interface Frame {
  readonly routine: Routine<unknown>;
  readonly irq: boolean;
  step: VisibleStep;
  readonly done: (result: unknown) => void;
}

/** What `touch` came to: nothing trapped, or what did. */
export interface Touch {
  readonly trap: Trapped;
  readonly fault: number;
  readonly pfn: number;
  readonly level: number;
}

/**
 * A workbench for routines: a machine's real components, journal and data plane, without its loop. The
 * test says which routine runs on which CPU and what comes next; interrupts are taken as the machine
 * takes them.
 */
export class Lab {
  readonly parts: OpenMachine;
  readonly journal: Journal;
  readonly facts: RecordedFact[] = [];
  readonly cpus: number;
  private readonly tlb: TlbModel | undefined;
  private readonly stacks: Frame[][];

  /** With a `freedom` the TLB is the architectural one, whose entries are in a slice: see `models`. */
  constructor(machine: SmallMachine, freedom?: TlbFreedom) {
    this.parts = openMachine(machine);
    const { built, plan, slots } = this.parts;
    this.cpus = plan.machine.cpus;
    this.tlb = freedom === undefined ? undefined : tlbModelOf(this.parts, freedom);
    const { tlb } = this;
    const components =
      tlb === undefined
        ? built.components
        : built.components.map((each) =>
            each.name === 'tlb' ? { ...each, component: tlb.component } : each,
          );
    this.stacks = Array.from({ length: this.cpus }, () => []);
    this.journal = new Journal({
      components,
      cpus: this.cpus,
      seed: plan.machine.seed,
      cost: slots.cost,
      dataPlane: built.dataPlane,
      folding: machine.folding ?? 'direct',
      recorder: { stimulus: () => undefined, fact: (recorded) => this.facts.push(recorded) },
    });
  }

  get view(): View {
    return this.journal.view;
  }
  get slots(): OpenMachine['slots'] {
    return this.parts.slots;
  }

  /** The architectural facet of the TLB, where the lab has a freedom. */
  get model(): TlbModel {
    return present(this.tlb, 'architectural TLB');
  }

  /** Has something happen of its own accord: an action of the architectural TLB, if it may happen now. */
  happens(actor: string, label: string): boolean {
    const action = this.model.component.actions?.find((each) => each.actor === actor && each.label === label);
    const { command, when } = present(action, `action "${label}" of ${actor}`);
    if (when?.(this.view) === false) return false;
    this.journal.issue(command, -1);
    this.journal.settle();
    return true;
  }

  /** Facts of one type, from the `from`-th fact of the lab on. */
  factsOf<F extends Fact>(type: F['type'], from = 0): (RecordedFact & { fact: F })[] {
    const wanted = (recorded: RecordedFact): recorded is RecordedFact & { fact: F } =>
      recorded.fact.type === type;
    return this.facts.slice(from).filter(wanted);
  }

  note(fact: Fact, cpu = -1): void {
    this.journal.append(fact, 'kernel', cpu);
    this.journal.settle();
  }

  /** Runs one routine to its end; interrupts are taken as soon as they can be. */
  do<T>(cpu: number, routine: Routine<T>): T {
    return this.race([{ cpu, routine }], () => 0)[0] as T;
  }

  /** Runs routines to their ends, one step at a time; `pick` says which of so many possible steps is next. */
  race<T>(jobs: readonly Job<T>[], pick: (alternatives: number) => number): T[] {
    const results: T[] = [];
    jobs.forEach(({ cpu, routine }, i) =>
      this.begin(cpu, routine, false, (result) => (results[i] = result as T)),
    );
    while (this.stacks.some((stack) => stack.length > 0)) {
      const enabled = this.enabledSteps();
      assert(enabled.length > 0, `no CPU can take a step: ${this.waiting()}`);
      present(enabled[pick(enabled.length)], 'alternative')();
      this.journal.settle();
    }
    return results;
  }

  /** A process that has been created, in `ready`. */
  process(mm: number, cpu = 0): void {
    this.note({ type: 'ProcessCreated', mm, name: `process ${mm}` } as Fact);
    assert(this.do(cpu, this.slots.mm.create({ cpu, args: [] }, mm)), `no memory for mm ${mm}`);
    assert(this.view(processesKey)[mm]?.phase === 'ready', `mm ${mm} was created, but is not ready`);
  }

  switchTo(cpu: number, mm: number): void {
    this.do(cpu, this.slots.asid.switchMm({ cpu, args: [] }, mm));
  }

  /** One reference in the address space that the CPU is in, straight through the data plane. */
  touch(cpu: number, va: number, write = false): Touch {
    const batch = accessBatch(1);
    pushAccess(batch, write ? AccessKind.store : AccessKind.load, va, 4);
    const { asid, ttbr } = present(this.view(cpusKey)[cpu], 'cpu');
    const { dataPlane } = this.parts.built;
    const reached = dataPlane.run(cpu, { asid, ttbr }, batch, 0, 1);
    const { kind, fault, pfn, level } = dataPlane.trap;
    assert((kind === TrapKind.none) === (reached === 1), 'a batch that stops has a trap, and no other has');
    return { trap: kind, fault, pfn, level };
  }

  /** Where a load of the CPU's process would go, asked of the TLB itself: a physical address, or the trap. */
  physical(cpu: number, va: number): number | Touch {
    const batch = accessBatch(1);
    pushAccess(batch, AccessKind.load, va, 1);
    const { asid, ttbr } = present(this.view(cpusKey)[cpu], 'cpu');
    const { tlbEngine } = this.parts;
    const pieces = translatedBatch(2 * PIECES_PER_ACCESS_MAX);
    // A watched entry tells of its first use; the second goes through.
    for (const _ of [1, 2]) {
      if (tlbEngine.translate(cpu, { asid, ttbr }, batch, 0, 1, pieces) === 1) {
        const last = pieces.count - 1;
        return (pieces.paHi[last] as number) * 2 ** 32 + (pieces.paLo[last] as number);
      }
      pieces.count = 0;
      if (tlbEngine.trap.kind === TrapKind.fault) break;
    }
    const { kind, fault, pfn, level } = tlbEngine.trap;
    return { trap: kind, fault, pfn, level };
  }

  /** Does the CPU run no routine, and no handler? */
  idle(cpu: number): boolean {
    return this.stacks[cpu]?.length === 0;
  }

  /** As a process does it: the abort runs the fault routine, then the access is tried again. */
  access(cpu: number, va: number, write = false): void {
    for (let tries = 0; tries < 6; tries++) {
      const { trap, fault, level } = this.touch(cpu, va, write);
      if (trap === TrapKind.none) return;
      if (trap === TrapKind.fault) this.fault(cpu, va, write, fault, level);
    }
    throw new Error(`the access to ${va} of CPU ${cpu} makes no progress`);
  }

  fault(cpu: number, va: number, write: boolean, kind: number, level: number): void {
    this.do(cpu, this.faultRoutine(cpu, this.mmOn(cpu), va, write, kind, level));
  }

  faultRoutine(cpu: number, mm: number, va: number, write: boolean, kind: number, level: number): Routine {
    const program = present(this.slots.mm.programs['fault'], 'program mm/fault');
    return program({ cpu, args: [mm, va, Number(write), 0, kind, level] });
  }

  mmOn(cpu: number): number {
    return present(this.view(cpusKey)[cpu], 'cpu').mm;
  }

  private begin(cpu: number, routine: Routine<unknown>, irq: boolean, done: (result: unknown) => void): void {
    const { value, done: ended } = nextVisible(routine, []);
    if (ended === true) done(value);
    else present(this.stacks[cpu], 'cpu').push({ routine, irq, step: value as VisibleStep, done });
  }

  private enabledSteps(): (() => void)[] {
    const enabled: (() => void)[] = [];
    const { open } = this.view(ipisKey);
    this.stacks.forEach((stack, cpu) => {
      const top = stack.at(-1);
      const masked = top?.irq === true || present(this.view(cpusKey)[cpu], 'cpu').irqsOff > 0;
      const ipi = masked ? undefined : open.find(({ to, delivered }) => to === cpu && !delivered);
      if (ipi !== undefined) enabled.push(() => this.deliver(cpu, ipi));
      if (top !== undefined && this.possible(top.step)) enabled.push(() => this.step(cpu, top));
    });
    return enabled;
  }

  private possible(step: VisibleStep): boolean {
    const guard = step.kind === 'await' ? step.until : step.kind === 'issue' ? step.when : undefined;
    return guard === undefined || guard(this.view);
  }

  private deliver(cpu: number, { id, program, args }: IpiState): void {
    this.note({ type: 'IpiDelivered', id, cpu } as Fact, cpu);
    const handler = present(this.parts.built.programs[program], `program ${program}`);
    this.begin(cpu, handler({ cpu, args: [id, ...args] }), true, () => undefined);
  }

  private step(cpu: number, frame: Frame): void {
    const reply = this.perform(frame.step, cpu);
    const { value, done } = nextVisible(frame.routine, reply);
    if (done !== true) {
      frame.step = value as VisibleStep;
      return;
    }
    present(this.stacks[cpu], 'cpu').pop();
    frame.done(value);
  }

  private perform(step: VisibleStep, cpu: number): readonly number[] {
    if (step.kind === 'read') return step.look(this.view);
    if (step.kind === 'await') return [];
    const facts = this.journal.issue(step.command, cpu);
    return step.pick === undefined ? [] : step.pick(facts);
  }

  private waiting(): string {
    const reasons = this.stacks
      .map((stack) => stack.at(-1)?.step)
      .map((step) => (step?.kind === 'read' ? '' : (step?.reason ?? '')));
    return reasons.filter(Boolean).join('; ');
  }
}

export type TlbFreedom = Pick<TlbModelParts, 'speculativeWalks' | 'evictions'>;

function tlbModelOf({ slots, plan }: OpenMachine, freedom: TlbFreedom): TlbModel {
  const walkSteps = present(slots['page-table'].walkSteps, 'walk, a descriptor at a time');
  const parts = { cpus: plan.machine.cpus, walkSteps, ...freedom };
  return present(slots.tlb.model?.(parts), 'architectural facet of the TLB');
}

/** The next step that takes effect: merges are claims, and are passed over. */
function nextVisible(routine: Routine<unknown>, reply: Reply): ReturnType<Routine<unknown>['next']> {
  let result = routine.next(reply);
  while (result.done !== true && result.value.kind === 'merge') result = routine.next([]);
  return result;
}
