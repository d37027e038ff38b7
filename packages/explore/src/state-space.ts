import { digestOf, present } from '@tablewalk/base';
import type { Action, CpusState } from '@tablewalk/contracts';
import {
  actionEnabled,
  actionsOf,
  contextOf,
  deliverIpi,
  handlerEnabled,
  holdsCpu,
  ipiEnabled,
  stepThread,
  stuckRule,
  taskEnabled,
} from '@tablewalk/machine';
import type { Never, World } from '@tablewalk/machine';
import type { Staged } from '@tablewalk/stories';
import { Cells } from './cells.ts';
import type { Row } from './cells.ts';
import { Memo } from './memo.ts';
import type { Answered } from './memo.ts';
import { ProgramGraph } from './program-graph.ts';
import { RowHash } from './row-hash.ts';
import { Scratch } from './scratch.ts';
import type { CpuCell, Layout, Written } from './scratch.ts';

/** Something that may happen, as far as it is known beforehand: which CPU, task or action it is of. */
export interface Mover {
  readonly kind: 'ipi' | 'step' | 'task' | 'action';
  /** CPU, task or action, by number. */
  readonly which: number;
  readonly cpu: number;
}

/** What a mover can do in a state. */
export interface Possible {
  readonly enabled: boolean;
  readonly reads: readonly number[];
  readonly written: Written;
}
/** Whether a state breaks a rule of `never`, and which cells say so. */
export interface Judgement {
  readonly broken: boolean;
  readonly reads: readonly number[];
}

const NOTHING: Written = { cells: [], numbers: [], before: [], hash: 0 };

/**
 * The graph of a play's states: the states that the scene leads to, and which steps lead from one to the next.
 * Movers stand in the order of the machine's alternatives, so that a place in the list of those enabled means
 * the same to both.
 */
export class StateSpace {
  readonly movers: readonly Mover[];
  readonly layout: Layout;
  readonly initial: Row;
  readonly graph: ProgramGraph;
  /** Cells that decided a rule of `never` so far. */
  readonly neverReads = new Set<number>();
  /** Every answer so far, with its mover. */
  private readonly learnt: (readonly [mover: number, possible: Possible])[] = [];
  private listener: ((mover: number, possible: Possible) => void) | undefined;

  private readonly scratch: Scratch;
  readonly actions: readonly Action[];
  private readonly possible: Memo<Possible>;
  /** 1 for answers of movers that can move, by number: a look at the answer itself costs more. */
  private enabledAnswers = new Uint8Array(256);
  private readonly never: readonly Never[];
  private readonly judged: Memo<Judgement>;
  private readonly stuck: Memo<string | undefined>;

  constructor(
    readonly staged: Staged,
    world: World,
    { merges }: { readonly merges: boolean },
  ) {
    const { cpus, play, programs } = staged;
    const components = staged.components.filter(({ component }) => component.bystander !== true);
    const slices = components.map(({ name }) => name);
    const names = [
      ...slices,
      ...Array.from({ length: cpus }, (_, cpu) => `CPU ${cpu}`),
      ...play.tasks.map(({ name }) => `task ${name}`),
    ];
    this.layout = {
      cells: new Cells(names),
      slice: new Map(slices.map((name, cell) => [name, cell])),
      cpus: slices.length,
      tasks: slices.length + cpus,
      hash: new RowHash(names.length, (cell, number) => this.contentWord(cell, number)),
    };
    this.graph = new ProgramGraph(programs, merges);
    this.scratch = new Scratch(this.layout, this.graph, play.tasks, staged.components);
    this.actions = actionsOf(staged.components);
    this.movers = [
      ...Array.from({ length: cpus }, (_, cpu): Mover[] => [
        { kind: 'ipi', which: cpu, cpu },
        { kind: 'step', which: cpu, cpu },
      ]).flat(),
      ...play.tasks.map(({ cpu }, which): Mover => ({ kind: 'task', which, cpu })),
      ...this.actions.map((_, which): Mover => ({ kind: 'action', which, cpu: -1 })),
    ];
    const shared = sharedCpus(staged);
    this.possible = new Memo(this.movers.length, (number, row) => {
      const answered = this.try(row, present(this.movers[number], 'mover'), shared);
      this.noteEnabled(this.possible.answers.length, answered.answer.enabled);
      this.learnt.push([number, answered.answer]);
      this.listener?.(number, answered.answer);
      return answered;
    });
    this.never = play.never ?? [];
    this.judged = new Memo(this.never.length, (rule, row) => {
      const { reads, answer } = this.ask(row, () =>
        present(this.never[rule], 'rule').when(this.scratch.view),
      );
      for (const cell of reads) this.neverReads.add(cell);
      return { reads, answer: { broken: answer, reads } };
    });
    this.stuck = new Memo(1, (_, row) => this.ask(row, () => stuckRule(this.scratch, play)));
    this.initial = this.rowOf(world);
  }

  /** Hears of every answer, those that are known already first: its mover, and what it read and wrote. */
  listen(listener: (mover: number, possible: Possible) => void): void {
    for (const [mover, possible] of this.learnt) listener(mover, possible);
    this.listener = listener;
  }

  /** What a mover can do in a state. */
  at(row: Row, mover: number): Possible {
    return this.possible.answers[this.possible.find(mover, row)] as Possible;
  }

  /** What every mover can do in a state, as numbers of `answer`; answers how many can do anything, and says which. */
  atAll(row: Row, answers: Int32Array, enabled: Int32Array): number {
    this.possible.findAll(row, answers);
    const { enabledAnswers } = this;
    let count = 0;
    for (let mover = 0; mover < answers.length; mover++)
      if (enabledAnswers[answers[mover] as number] === 1) enabled[count++] = mover;
    return count;
  }
  answer(number: number): Possible {
    return this.possible.answers[number] as Possible;
  }

  /** How many rules of `never` there are, and what each says of a state. */
  get rules(): number {
    return this.never.length;
  }
  judgement(rule: number, row: Row): Judgement {
    return this.judged.answers[this.judged.find(rule, row)] as Judgement;
  }

  /** The first rule of `never` that a state breaks. */
  brokenRule(row: Row): string | undefined {
    const { never } = this;
    for (let rule = 0; rule < never.length; rule++)
      if (this.judgement(rule, row).broken) return (never[rule] as Never).rule;
    return undefined;
  }

  /** Are these movers all actions that no task waits for? */
  onlyIdle(enabled: readonly number[]): boolean {
    const { movers, actions } = this;
    return enabled.every((mover) => {
      const { kind, which } = movers[mover] as Mover;
      return kind === 'action' && actions[which]?.idle === true;
    });
  }

  /** Why a state in which nothing is enabled must not be the end; undefined: it may. */
  stuckRule(row: Row): string | undefined {
    return this.stuck.answers[this.stuck.find(0, row)];
  }

  /** A state as an outcome: its observed slices, as JSON. */
  outcome(row: Row): string {
    const { slice, cells } = this.layout;
    return JSON.stringify(
      this.observed.map((name) => {
        const cell = present(slice.get(name), `slice ${name}`);
        return [name, cells.value(cell, row[cell] as number)];
      }),
    );
  }

  /** The same of a world. */
  outcomeOf(slices: Readonly<Record<string, unknown>>): string {
    return JSON.stringify(this.observed.map((name) => [name, slices[name]]));
  }

  /** What the story observes; else all but what the kernel and the checkers keep, who know when a fact was. */
  private get observed(): readonly string[] {
    const own = [...this.layout.slice.keys()].filter(
      (name) => !KERNEL_SLICES.includes(name) && !name.startsWith('checker-'),
    );
    return this.staged.observed ?? own;
  }

  private try(row: Row, mover: Mover, shared: readonly boolean[]): Answered<Possible> {
    const { kind, which, cpu } = mover;
    const scratch = this.scratch.load(row, kind === 'task' ? which : -1);
    const { play } = this.staged;
    const { actions } = this;
    const enabled =
      kind === 'ipi'
        ? ipiEnabled(scratch, cpu)
        : kind === 'step'
          ? handlerEnabled(scratch, cpu)
          : kind === 'task'
            ? taskEnabled(scratch, present(play.tasks[which], 'task'), which)
            : actionEnabled(scratch, present(actions[which], 'action'));
    if (enabled) {
      if (kind === 'ipi') deliverIpi(scratch, cpu);
      else if (kind === 'action') scratch.issue(present(actions[which], 'action').command, -1);
      else stepThread(scratch, cpu);
      scratch.settle();
      if (kind === 'task' && shared[cpu] === true)
        scratch.hold(cpu, holdsCpu(scratch, cpu, which) ? which : -1);
    }
    const written = enabled ? scratch.outcome() : NOTHING;
    const reads = [...scratch.reads];
    return { reads, answer: { enabled, reads, written } };
  }

  /** A word from what a value of a cell is, the same in every process. */
  private contentWord(cell: number, number: number): number {
    const { cells, cpus, tasks } = this.layout;
    const content =
      cell >= tasks
        ? this.graph.key(number)
        : cell >= cpus
          ? cpuContent(cells.value(cell, number) as CpuCell, this.graph)
          : cells.value(cell, number);
    return parseInt(digestOf([cell, content]).slice(0, 8), 16) | 0;
  }

  private noteEnabled(answer: number, enabled: boolean): void {
    if (answer >= this.enabledAnswers.length) {
      const longer = new Uint8Array(2 * (answer + 1));
      longer.set(this.enabledAnswers);
      this.enabledAnswers = longer;
    }
    this.enabledAnswers[answer] = enabled ? 1 : 0;
  }

  private ask<T>(row: Row, question: () => T): Answered<T> {
    this.scratch.load(row);
    const answer = question();
    return { reads: [...this.scratch.reads], answer };
  }

  /** The row of a world in which the scene is set and no task has taken a step. */
  private rowOf(world: World): Row {
    const { cells, slice, cpus, tasks } = this.layout;
    const row = new Int32Array(cells.count);
    for (const [name, cell] of slice) {
      const value = structuredClone(world.slices[name]);
      row[cell] = cells.number(cell, name === 'cpus' ? withoutThreads(value as CpusState) : value);
    }
    for (let cpu = 0; cpu < this.staged.cpus; cpu++)
      row[cpus + cpu] = cells.number(cpus + cpu, { handlers: [], holder: -1 });
    this.staged.play.tasks.forEach(({ cpu, program, args }, task) => {
      row[tasks + task] = this.graph.root(program, contextOf(cpu, task, args, false));
    });
    return row;
  }
}

const KERNEL_SLICES: readonly string[] = ['cpus', 'processes', 'ipis', 'locks', 'tasks'];

/** CPUs that more than one task runs on: only there does it matter who may be preempted. */
function sharedCpus({ cpus, play }: Staged): boolean[] {
  return Array.from({ length: cpus }, (_, cpu) => play.tasks.filter((task) => task.cpu === cpu).length > 1);
}

const cpuContent = ({ handlers, holder }: CpuCell, graph: ProgramGraph): unknown => [
  handlers.map((place) => graph.key(place)),
  holder,
];

const withoutThreads = (cpus: CpusState): CpusState =>
  cpus.map(({ mm, asid, ttbr, irqsOff }) => ({ mm, asid, ttbr, irqsOff, stack: [] }));
