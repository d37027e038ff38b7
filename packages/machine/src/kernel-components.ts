import { assert, present, sparseTable, tableGet, tableSet } from '@tablewalk/base';
import type {
  AcknowledgeIpi,
  Command,
  Component,
  CpusState,
  IpisState,
  KernelFact,
  KernelFactOf,
  LocksState,
  MarkMmCpumask,
  MemoryState,
  ProcessesState,
  ProcessState,
  SendIpi,
  SwitchContext,
  TaskCommand,
  TasksState,
} from '@tablewalk/contracts';
import type { NamedComponent } from './fold.ts';
import type { Play, PlayTask } from './play.ts';
import { statisticsComponent } from './statistics.ts';

/** CPUs: what each runs, in which address space, with IRQs on or off. */
const cpusComponent = (cpus: number): Component<CpusState, Command & { cpu: number }, KernelFact> => ({
  evolvesOn: [
    'ThreadStarted',
    'StepTaken',
    'ThreadFinished',
    'ContextSwitched',
    'TaskSwitched',
    'IrqsDisabled',
    'IrqsEnabled',
  ],
  initial: () => Array.from({ length: cpus }, () => ({ mm: 0, asid: 0, ttbr: 0, irqsOff: 0, stack: [] })),
  decide(command, state) {
    const { cpu, type } = command;
    if (type === 'DisableIrqs') return [{ type: 'IrqsDisabled', cpu }];
    if (type === 'EnableIrqs') {
      assert(present(state[cpu], 'cpu').irqsOff > 0, `CPU ${cpu} enables IRQs, which are on`);
      return [{ type: 'IrqsEnabled', cpu }];
    }
    assert(type === 'SwitchContext', `cpus: no command ${type}`);
    const { mm, asid, ttbr } = command as unknown as SwitchContext;
    return [{ type: 'ContextSwitched', cpu, mm, asid, ttbr }];
  },
  evolve(draft, fact) {
    const cpu = present(draft[(fact as { cpu: number }).cpu], 'cpu');
    switch (fact.type) {
      case 'ThreadStarted':
        cpu.stack.push({ program: fact.program, args: fact.args, irq: fact.irq, log: [] });
        break;
      case 'StepTaken':
        present(cpu.stack.at(-1), 'thread').log.push(fact.reply);
        break;
      case 'ThreadFinished':
        cpu.stack.pop();
        break;
      case 'ContextSwitched':
        cpu.mm = fact.mm;
        cpu.asid = fact.asid;
        cpu.ttbr = fact.ttbr;
        break;
      case 'TaskSwitched': {
        const parked = (cpu.parked ??= {});
        if (cpu.task !== undefined) parked[cpu.task] = cpu.stack;
        cpu.stack = parked[fact.task] ?? [];
        cpu.task = fact.task;
        delete parked[fact.task];
        break;
      }
      case 'IrqsDisabled':
        cpu.irqsOff += 1;
        break;
      case 'IrqsEnabled':
        cpu.irqsOff -= 1;
        break;
    }
  },
});

const noProcess = (name: string, cpus: number): ProcessState => ({
  name,
  phase: 'new',
  position: 0,
  batch: -1,
  count: 0,
  ended: false,
  retired: 0,
  cpumask: Array.from({ length: cpus }, () => false),
});

/** Processes: how far each is in its references, and which CPUs may hold its translations. */
const processesComponent = (cpus: number): Component<ProcessesState, MarkMmCpumask, KernelFact> => ({
  evolvesOn: [
    'ProcessCreated',
    'BatchSupplied',
    'ReferencesEnded',
    'BatchRetired',
    'ProcessReady',
    'ProcessExited',
    'MmCpumaskSet',
    'MmCpumaskCleared',
  ],
  initial: () => [{ ...noProcess('init_mm', cpus), phase: 'ready' }],
  decide({ type, mm, cpu }, state) {
    const process = present(state[mm], `mm ${mm}`);
    if (type === 'SetMmCpumask')
      return process.cpumask[cpu] === true ? [] : [{ type: 'MmCpumaskSet', mm, cpu }];
    if (type === 'ClearMmCpumask')
      return process.cpumask[cpu] === true ? [{ type: 'MmCpumaskCleared', mm, cpu }] : [];
    if (type === 'ReadyProcess') return [{ type: 'ProcessReady', cpu, mm }];
    assert(type === 'ExitProcess', `processes: no command ${type}`);
    return [{ type: 'ProcessExited', cpu, mm }];
  },
  evolve(draft, fact) {
    if (fact.type === 'ProcessCreated') {
      draft[fact.mm] = noProcess(fact.name, cpus);
      return;
    }
    const process = present(draft[(fact as { mm: number }).mm], 'process');
    switch (fact.type) {
      case 'BatchSupplied':
        process.batch = fact.batch;
        process.count = fact.count;
        process.position = 0;
        break;
      case 'ReferencesEnded':
        process.ended = true;
        break;
      case 'BatchRetired':
        process.position += fact.count;
        process.retired += fact.count;
        break;
      case 'ProcessReady':
        process.phase = 'ready';
        break;
      case 'ProcessExited':
        process.phase = 'exited';
        break;
      case 'MmCpumaskSet':
        process.cpumask[fact.cpu] = true;
        break;
      case 'MmCpumaskCleared':
        process.cpumask[fact.cpu] = false;
        break;
    }
  },
});

/**
 * Interprocessor interrupts between being sent and being acknowledged. In a play an id is used again once
 * it is free: numbers that grow for ever would tell states apart that are the same.
 */
const ipisComponent = (reuseIds: boolean): Component<IpisState, SendIpi | AcknowledgeIpi, KernelFact> => ({
  evolvesOn: ['IpiSent', 'IpiDelivered', 'IpiAcknowledged'],
  initial: () => ({ next: 0, open: [] }),
  decide(command, state) {
    if (command.type === 'AcknowledgeIpi') {
      const { id, cpu } = command as AcknowledgeIpi;
      return [{ type: 'IpiAcknowledged', id, cpu }];
    }
    const { from, target, program, args } = command as SendIpi;
    return [{ type: 'IpiSent', id: reuseIds ? freeId(state) : state.next, from, to: target, program, args }];
  },
  evolve(draft, fact, at) {
    if (fact.type === 'IpiSent') {
      const { id, from, to, program, args } = fact;
      draft.open.push({ id, from, to, program, args, sentAt: at.time, delivered: false });
      draft.next = reuseIds ? 0 : id + 1;
    } else if (fact.type === 'IpiDelivered') {
      const ipi = draft.open.find((open) => open.id === fact.id);
      if (ipi !== undefined) ipi.delivered = true;
    } else if (fact.type === 'IpiAcknowledged') {
      const acknowledged = draft.open.findIndex((open) => open.id === fact.id);
      if (acknowledged >= 0) draft.open.splice(acknowledged, 1);
    }
  },
});

function freeId({ open }: IpisState): number {
  for (let id = 0; ; id++) if (!open.some((ipi) => ipi.id === id)) return id;
}

/** Tasks of a play: who is on which wait queue, and who is in an atomic section. */
const tasksComponent = (tasks: readonly PlayTask[]): Component<TasksState, TaskCommand, KernelFact> => ({
  evolvesOn: ['TaskQueued', 'TasksWoken', 'PreemptDisabled', 'PreemptEnabled'],
  initial: () => tasks.map(({ name, cpu }) => ({ name, cpu, preemptCount: 0, queue: '' })),
  decide({ type, cpu, task, queue }, state) {
    if (type === 'Wake')
      return state.some((sleeper) => sleeper.queue === queue) ? [{ type: 'TasksWoken', cpu, queue }] : [];
    // An interrupt handler is no task: nothing preempts it.
    if (task < 0 && type.endsWith('Preemption')) return [];
    const { preemptCount, queue: on } = present(state[task], 'task (an interrupt handler cannot sleep)');
    if (type === 'PrepareToWait') return [{ type: 'TaskQueued', cpu, task, queue }];
    if (type === 'Schedule') return on === '' ? [] : [{ type: 'TaskSlept', cpu, task, queue: on }];
    if (type === 'DisablePreemption') return [{ type: 'PreemptDisabled', cpu, task }];
    assert(type === 'EnablePreemption' && preemptCount > 0, `tasks: ${type} of task ${task} is not possible`);
    return [{ type: 'PreemptEnabled', cpu, task }];
  },
  evolve(draft, fact) {
    if (fact.type === 'TasksWoken') {
      for (const task of draft) if (task.queue === fact.queue) task.queue = '';
      return;
    }
    const task = present(draft[(fact as { task: number }).task], 'task');
    if (fact.type === 'TaskQueued') task.queue = fact.queue;
    else if (fact.type === 'PreemptDisabled') task.preemptCount += 1;
    else if (fact.type === 'PreemptEnabled') task.preemptCount -= 1;
  },
});

type LockCommand = Command & { cpu: number; lock: string };
/** Spinlocks by name. */
const locksComponent: Component<LocksState, LockCommand, KernelFact> = {
  evolvesOn: ['LockAcquired', 'LockReleased'],
  initial: () => ({}),
  decide({ type, cpu, lock }, state) {
    if (type === 'AcquireLock') {
      assert(state[lock] === undefined, `lock ${lock} is held by CPU ${state[lock]}`);
      return [{ type: 'LockAcquired', cpu, lock }];
    }
    assert(state[lock] === cpu, `CPU ${cpu} releases ${lock}, which it does not hold`);
    return [{ type: 'LockReleased', cpu, lock }];
  },
  evolve(draft, fact) {
    if (fact.type === 'LockAcquired') draft[fact.lock] = fact.cpu;
    else if (fact.type === 'LockReleased') delete draft[fact.lock];
  },
};

type WordFact = KernelFactOf<'WordStored' | 'WordsCopied' | 'WordsFilled'>;
/** Physical memory, as far as page tables were stored in it. */
const memoryComponent: Component<MemoryState, Command, WordFact> = {
  evolvesOn: ['WordStored', 'WordsCopied', 'WordsFilled'],
  initial: () => sparseTable<number>(),
  decide: ({ type }) => {
    throw new Error(`memory takes no command ${type}: page-table plugins decide what is stored`);
  },
  evolve(draft, fact) {
    if (fact.type === 'WordStored') tableSet(draft, fact.pa / 4, fact.value);
    else if (fact.type === 'WordsCopied')
      for (let i = 0; i < fact.words; i++)
        tableSet(draft, fact.to / 4 + i, tableGet(draft, fact.from / 4 + i) ?? 0);
    else for (let i = 0; i < fact.words; i++) tableSet(draft, fact.pa / 4 + i, fact.value + i * fact.step);
  },
};

/** The kernel's own components, in the order in which they evolve; a play has tasks besides. */
export const kernelComponents = (cpus: number, play?: Play): readonly NamedComponent[] => [
  { name: 'cpus', component: cpusComponent(cpus) },
  { name: 'processes', component: processesComponent(cpus) },
  { name: 'ipis', component: ipisComponent(play !== undefined) },
  { name: 'locks', component: locksComponent },
  { name: 'memory', component: memoryComponent },
  { name: 'statistics', component: statisticsComponent(cpus) },
  ...(play === undefined ? [] : [{ name: 'tasks', component: tasksComponent(play.tasks) }]),
];
