import { assert, CodedError, present } from '@tablewalk/base';
import type {
  AnyComponent,
  Command,
  Env,
  Fact,
  RecordedFact,
  Reply,
  SliceKey,
  View,
  VisibleStep,
} from '@tablewalk/contracts';
import { contextOf } from '@tablewalk/machine';
import type { NamedComponent, PlayTask, Stage, Standing } from '@tablewalk/machine';
import { produce } from 'immer';
import { Subject } from 'rxjs';
import type { Cells, Row } from './cells.ts';
import { ENDED } from './program-graph.ts';
import type { ProgramGraph } from './program-graph.ts';
import type { RowHash } from './row-hash.ts';

/** What the interrupts of a CPU are doing: places of handlers, innermost last, and the task they interrupted. */
export interface CpuCell {
  readonly handlers: readonly number[];
  /** The task that must go on on this CPU, because it cannot be preempted here; -1: any may. */
  readonly holder: number;
}

export interface Layout {
  readonly cells: Cells;
  /** Cell of a slice, by name. */
  readonly slice: ReadonlyMap<string, number>;
  /** First of the cells of CPUs, and of tasks. */
  readonly cpus: number;
  readonly tasks: number;
  readonly hash: RowHash;
}

/** What a step did: cells that it wrote with their new numbers, and what a checker said. */
export interface Written {
  readonly cells: readonly number[];
  readonly numbers: readonly number[];
  /** What was there before: whoever writes a cell has read it, so it is the same whenever this is the answer. */
  readonly before: readonly number[];
  /** What the step changes in a row's hash, by xor. */
  readonly hash: number;
  readonly violation?: { readonly checker: string; readonly rule: string };
}

/** The kernel's component of CPUs keeps threads in histories; here they are cells of their own. */
const THREAD_FACTS: readonly string[] = ['ThreadStarted', 'StepTaken', 'ThreadFinished', 'TaskSwitched'];

/**
 * One state, unpacked, to ask questions of and to take one step in. It notes every cell that is read. Facts are
 * folded by immer, as in a live history, but without place and time: a state does not know when it is.
 */
export class Scratch implements Stage, Standing {
  readonly reads: number[] = [];
  private row: Row = new Int32Array(0);
  private readonly seen: Uint8Array;
  private readonly values: unknown[] = [];
  private readonly written: Uint8Array;
  private violation: Written['violation'];
  /** The task on whose behalf the step is taken; -1: a handler's or an action's. */
  private acting = -1;

  private readonly reactions = new Subject<RecordedFact>();
  private readonly heard: RecordedFact[] = [];
  private readonly orders: Command[] = [];
  private readonly targets = new Map<string, { readonly cell: number; readonly component: AnyComponent }[]>();
  private readonly byName = new Map<string, AnyComponent>();

  constructor(
    private readonly layout: Layout,
    private readonly graph: ProgramGraph,
    private readonly tasks: readonly PlayTask[],
    components: readonly NamedComponent[],
  ) {
    const { count } = layout.cells;
    this.seen = new Uint8Array(count);
    this.written = new Uint8Array(count);
    for (const { name, component } of components) {
      this.byName.set(name, component);
      const cell = layout.slice.get(name);
      if (cell !== undefined) this.listenFor(name, component, cell);
      component.react?.(this.reactions, this.view).subscribe((command) => this.orders.push(command));
    }
  }

  private listenFor(name: string, component: AnyComponent, cell: number): void {
    for (const type of component.evolvesOn) {
      if (name === 'cpus' && THREAD_FACTS.includes(type)) continue;
      const known = this.targets.get(type);
      if (known === undefined) this.targets.set(type, [{ cell, component }]);
      else known.push({ cell, component });
    }
  }

  /** Begins with a state; nothing has been read. */
  load(row: Row, acting = -1): this {
    this.row = row;
    this.acting = acting;
    this.seen.fill(0);
    this.written.fill(0);
    this.reads.length = 0;
    this.violation = undefined;
    return this;
  }

  readonly view: View = <S>(key: SliceKey<S>): S => {
    const cell = this.layout.slice.get(key.name);
    assert(cell !== undefined, `slice ${key.name} is left out of the state: nobody may decide by it`);
    return this.value(cell) as S;
  };

  // What Standing asks.

  handlerOf(cpu: number): VisibleStep | undefined {
    const handler = this.cpu(cpu).handlers.at(-1);
    return handler === undefined ? undefined : this.graph.step(handler);
  }
  taskStep(task: number): VisibleStep | undefined {
    const place = this.place(task);
    return place === ENDED ? undefined : this.graph.step(place);
  }
  runningTask(cpu: number): number {
    return this.cpu(cpu).holder;
  }

  // What Stage asks.

  stepOf(cpu: number): VisibleStep | undefined {
    return this.handlerOf(cpu) ?? this.taskStep(this.acting);
  }

  startThread(cpu: number, program: string, args: readonly number[], irq: boolean): boolean {
    assert(irq, 'in a play only interrupt handlers start');
    const place = this.graph.root(program, contextOf(cpu, -1, args, true));
    const { handlers, holder } = this.cpu(cpu);
    this.write(this.layout.cpus + cpu, { handlers: [...handlers, place], holder });
    return place !== ENDED;
  }

  feedThread(cpu: number, reply: Reply): boolean {
    const { handlers, holder } = this.cpu(cpu);
    const handler = handlers.at(-1);
    if (handler === undefined) {
      const next = this.graph.next(this.place(this.acting), reply);
      this.write(this.layout.tasks + this.acting, next);
      return next !== ENDED;
    }
    const next = this.graph.next(handler, reply);
    this.write(this.layout.cpus + cpu, { handlers: handlers.with(-1, next), holder });
    return next !== ENDED;
  }

  popThread(cpu: number): void {
    const { handlers, holder } = this.cpu(cpu);
    if (handlers.length > 0) this.write(this.layout.cpus + cpu, { handlers: handlers.slice(0, -1), holder });
  }

  taskOf(): number {
    return this.acting;
  }

  issue(command: Command, cpu: number): readonly Fact[] {
    const component = present(this.byName.get(command.to), `component ${command.to} (for ${command.type})`);
    const cell = this.layout.slice.get(command.to);
    const state = cell === undefined ? component.initial() : this.value(cell);
    const facts = component.decide(command, state, this.envFor(cpu)) as readonly Fact[];
    for (const fact of facts) this.append(fact, command.to, cpu);
    return facts;
  }

  append(fact: Fact, by: string, cpu: number): void {
    const recorded: RecordedFact = { seq: 0, by, cpu, time: 0, stimulus: 0, fact };
    for (const { cell, component } of this.targets.get(fact.type) ?? []) {
      const before = this.value(cell);
      const after = produce(before, (draft: unknown) => {
        component.evolve(draft, fact, recorded);
      });
      if (after !== before) this.write(cell, after);
    }
    if (fact.type === 'PropertyViolated' && this.violation === undefined)
      this.violation = fact as unknown as { checker: string; rule: string };
    this.heard.push(recorded);
  }

  /** Publishes what was appended, and decides what reactions order, until nothing is left to do. */
  settle(): void {
    for (let heard = 0; ;) {
      const recorded = this.heard[heard++];
      if (recorded !== undefined) {
        this.reactions.next(recorded);
        continue;
      }
      this.heard.length = heard = 0;
      const order = this.orders.shift();
      if (order === undefined) return;
      this.issue(order, -1);
    }
  }

  /** Says who must go on on a CPU after a step of its task. */
  hold(cpu: number, holder: number): void {
    const { handlers, holder: before } = this.cpu(cpu);
    if (before !== holder) this.write(this.layout.cpus + cpu, { handlers, holder });
  }

  /** What the step came to: only cells that differ from the state it began in. */
  outcome(): Written {
    const { cells: table, tasks, hash: draws } = this.layout;
    const cells: number[] = [];
    const numbers: number[] = [];
    const before: number[] = [];
    let hash = 0;
    for (let cell = 0; cell < this.written.length; cell++) {
      if (this.written[cell] === 0) continue;
      const value = this.values[cell];
      const number = cell >= tasks ? (value as number) : table.number(cell, value);
      const old = this.row[cell] as number;
      if (number === old) continue;
      cells.push(cell);
      numbers.push(number);
      before.push(old);
      hash ^= draws.of(cell, old) ^ draws.of(cell, number);
    }
    return {
      cells,
      numbers,
      before,
      hash,
      ...(this.violation === undefined ? {} : { violation: this.violation }),
    };
  }

  private cpu(cpu: number): CpuCell {
    return this.value(this.layout.cpus + cpu) as CpuCell;
  }
  private place(task: number): number {
    return this.value(this.layout.tasks + task) as number;
  }

  private value(cell: number): unknown {
    if (this.seen[cell] === 0) {
      this.seen[cell] = 1;
      this.reads.push(cell);
      const number = this.row[cell] as number;
      this.values[cell] = cell >= this.layout.tasks ? number : this.layout.cells.value(cell, number);
    }
    return this.values[cell];
  }

  private write(cell: number, value: unknown): void {
    this.value(cell);
    this.values[cell] = value;
    this.written[cell] = 1;
  }

  private envFor(cpu: number): Env {
    return {
      cpu,
      view: this.view,
      below: () => {
        throw new CodedError('EXPLORE_DRAWS', {
          what: 'a component draws a random number while it is explored',
          why: 'a draw is a choice that the explorer does not know of: a search would miss what it might have been',
          fix: 'make it an action of the component, or choose a policy that does not draw',
        });
      },
    };
  }
}
