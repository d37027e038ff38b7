import { sliceKey } from './component.ts';
import type { Command, View } from './component.ts';
import { defineFacts } from './facts.ts';
import type { FactsIn } from './facts.ts';
import { issue, order } from './program.ts';
import type { Reply, Routine } from './program.ts';

/**
 * The kernel's own vocabulary: CPUs, threads, interrupts, locks, physical memory, processes. It
 * knows of no table format, TLB or policy.
 *
 * `mm` numbers address spaces: 0 is init_mm, processes are 1 and up. `cpu` counts from 0.
 */
export const kernelFacts = defineFacts({
  // Processes and their references.
  ProcessCreated: { mm: 'u', name: 's' },
  BatchSupplied: { mm: 'u', batch: 'u', count: 'u' },
  ReferencesEnded: { mm: 'u' },
  /** Accesses `[from, from + count)` of a batch ran on `cpu`. `counters`: pairs of counter number and increase. */
  BatchRetired: { cpu: 'u', mm: 'u', batch: 'u', from: 'u', count: 'u', digest: 'u', counters: 'us' },
  /** DFSR/IFSR and DFAR/IFAR in one: `kind` is a FaultKind, `status` as the table format encodes it. */
  AbortTaken: { cpu: 'u', mm: 'u', va: 'u', kind: 'u', status: 'u', level: 'u', write: 'b', fetch: 'b' },
  /** An access went through a TLB entry whose table entry has been removed since. */
  StaleTranslationUsed: { cpu: 'u', mm: 'u', va: 'u', pfn: 'u', write: 'b' },
  ProcessReady: { cpu: 'u', mm: 'u' },
  ProcessExited: { cpu: 'u', mm: 'u' },
  // Threads and CPUs.
  /** A story's scene was set, and left no other fact. */
  SceneSet: {},
  ThreadStarted: { cpu: 'u', program: 's', args: 'us', irq: 'b' },
  StepTaken: { cpu: 'u', reply: 'us' },
  ThreadFinished: { cpu: 'u' },
  /** A task came to run on its CPU, where a machine has tasks: the kernel's side of schedule(). */
  TaskSwitched: { cpu: 'u', task: 'u' },
  /** prepare_to_wait: the task is on a wait queue, and still runs. */
  TaskQueued: { cpu: 'u', task: 'u', queue: 's' },
  /** schedule() took the CPU from a task that is on a wait queue. */
  TaskSlept: { cpu: 'u', task: 'u', queue: 's' },
  TasksWoken: { cpu: 'u', queue: 's' },
  PreemptDisabled: { cpu: 'u', task: 'u' },
  PreemptEnabled: { cpu: 'u', task: 'u' },
  IrqsDisabled: { cpu: 'u' },
  IrqsEnabled: { cpu: 'u' },
  /** CONTEXTIDR and TTBR0 written; `mm` now runs on `cpu` (0: none does, init_mm's tables are in use). */
  ContextSwitched: { cpu: 'u', mm: 'u', asid: 'u', ttbr: 'u' },
  MmCpumaskSet: { mm: 'u', cpu: 'u' },
  MmCpumaskCleared: { mm: 'u', cpu: 'u' },
  // Interprocessor interrupts.
  IpiSent: { id: 'u', from: 'u', to: 'u', program: 's', args: 'us' },
  IpiDelivered: { id: 'u', cpu: 'u' },
  IpiAcknowledged: { id: 'u', cpu: 'u' },
  // Locks.
  LockAcquired: { cpu: 'u', lock: 's' },
  LockReleased: { cpu: 'u', lock: 's' },
  // Physical memory: 32-bit words by byte address.
  WordStored: { pa: 'u', value: 'u' },
  WordsCopied: { from: 'u', to: 'u', words: 'u' },
  /** `words` words from `pa` on become `value`, `value + step`, ... */
  WordsFilled: { pa: 'u', words: 'u', value: 'u', step: 'u' },
  // What of a run is measured; `references` have retired in all.
  /** The warm-up is over: statistics count from here. `clocks` are by CPU, `retired` references by mm. */
  MeasurementBegan: { references: 'u', clocks: 'us', retired: 'us' },
  IntervalEnded: { references: 'u' },
  MeasurementEnded: { references: 'u' },
  // What checkers say.
  PropertyViolated: { checker: 's', rule: 's', cpu: 'u', culprit: 'u', evidence: 'u', va: 'u', pfn: 'u' },
});
export type KernelFact = FactsIn<typeof kernelFacts>;
export type KernelFactOf<Name extends keyof typeof kernelFacts> = Extract<KernelFact, { type: Name }>;

export interface ThreadState {
  readonly program: string;
  readonly args: readonly number[];
  /** An interrupt handler: it runs with IRQs masked, on top of what the CPU was doing. */
  readonly irq: boolean;
  /** What the program observed so far, one reply a step. */
  log: Reply[];
}

export interface CpuState {
  /** The address space in TTBR0; 0 when no process runs. */
  mm: number;
  asid: number;
  ttbr: number;
  /** Depth of local_irq_disable. */
  irqsOff: number;
  /** What the CPU is doing in the kernel, innermost last; empty in user mode or idle. */
  stack: ThreadState[];
  /** Where a machine has tasks: the one that runs, and the stacks of those that do not, by task. */
  task?: number;
  parked?: Record<number, ThreadState[]>;
}
export type CpusState = CpuState[];
export const cpusKey = sliceKey<CpusState>('cpus');

export type ProcessPhase = 'new' | 'ready' | 'exited';
export interface ProcessState {
  name: string;
  phase: ProcessPhase;
  /** References of the current batch that have retired, the batch's number and length. */
  position: number;
  batch: number;
  count: number;
  /** No batch will follow the current one. */
  ended: boolean;
  /** All references retired so far. */
  retired: number;
  /** CPUs that may hold translations of this mm: set at switch-in, as on ARM not cleared at switch-out. */
  cpumask: boolean[];
}
/** By mm; index 0 is init_mm. */
export type ProcessesState = ProcessState[];
export const processesKey = sliceKey<ProcessesState>('processes');

export interface IpiState {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly program: string;
  readonly args: readonly number[];
  /** The sender's clock. */
  readonly sentAt: number;
  delivered: boolean;
}
export interface IpisState {
  next: number;
  /** Sent and not yet acknowledged, oldest first. */
  open: IpiState[];
}
export const ipisKey = sliceKey<IpisState>('ipis');

/** Holder by lock name. */
export type LocksState = Record<string, number>;
export const locksKey = sliceKey<LocksState>('locks');

/** Orders to the kernel's own components. */
export const disableIrqs = (cpu: number): Command & { cpu: number } => ({
  to: 'cpus',
  type: 'DisableIrqs',
  cpu,
});
export const enableIrqs = (cpu: number): Command & { cpu: number } => ({
  to: 'cpus',
  type: 'EnableIrqs',
  cpu,
});

export interface SwitchContext extends Command {
  readonly cpu: number;
  readonly mm: number;
  readonly asid: number;
  readonly ttbr: number;
}
export const switchContext = (cpu: number, mm: number, asid: number, ttbr: number): SwitchContext => ({
  to: 'cpus',
  type: 'SwitchContext',
  cpu,
  mm,
  asid,
  ttbr,
});

export interface MarkMmCpumask extends Command {
  readonly mm: number;
  readonly cpu: number;
}
export const setMmCpumask = (mm: number, cpu: number): MarkMmCpumask => ({
  to: 'processes',
  type: 'SetMmCpumask',
  mm,
  cpu,
});
export const clearMmCpumask = (mm: number, cpu: number): MarkMmCpumask => ({
  to: 'processes',
  type: 'ClearMmCpumask',
  mm,
  cpu,
});
export const readyProcess = (mm: number, cpu: number): MarkMmCpumask => ({
  to: 'processes',
  type: 'ReadyProcess',
  mm,
  cpu,
});
export const exitProcess = (mm: number, cpu: number): MarkMmCpumask => ({
  to: 'processes',
  type: 'ExitProcess',
  mm,
  cpu,
});

export interface SendIpi extends Command {
  readonly from: number;
  readonly target: number;
  readonly program: string;
  readonly args: readonly number[];
}
/** `program` runs on the target as an interrupt handler; the IPI's id is put before `args`. */
export const sendIpi = (from: number, target: number, program: string, args: readonly number[]): SendIpi => ({
  to: 'ipis',
  type: 'SendIpi',
  from,
  target,
  program,
  args,
});
export interface AcknowledgeIpi extends Command {
  readonly id: number;
  readonly cpu: number;
}
export const acknowledgeIpi = (id: number, cpu: number): AcknowledgeIpi => ({
  to: 'ipis',
  type: 'AcknowledgeIpi',
  id,
  cpu,
});

/**
 * Interrupts other CPUs, one step each, and answers the numbers of the IPIs. Each target runs `program` with
 * the number before `args`.
 */
export function* interrupt(
  from: number,
  targets: readonly number[],
  program: string,
  args: readonly number[],
): Routine<readonly number[]> {
  const sent: number[] = [];
  for (const target of targets) {
    const pick = (facts: readonly KernelFactOf<'IpiSent'>[]): Reply => facts.map(({ id }) => id);
    sent.push(...(yield* issue<KernelFactOf<'IpiSent'>>(sendIpi(from, target, program, args), pick)));
  }
  return sent;
}

/**
 * csd_lock_wait of smp_call_function_many (kernel/smp.c): waits until every one of these IPIs is
 * acknowledged. The waiting CPU must have its own IRQs on.
 */
export function* awaitIpis(sent: readonly number[], reason: string): Routine {
  if (sent.length === 0) return;
  const until = (view: View): boolean => !view(ipisKey).open.some(({ id }) => sent.includes(id));
  yield { kind: 'await', until, reason, forIpi: true };
}

/** spin_lock: one step that waits while another CPU holds the lock. */
export function* lock(cpu: number, name: string): Routine {
  yield {
    kind: 'issue',
    command: { to: 'locks', type: 'AcquireLock', cpu, lock: name } as Command,
    when: (view) => view(locksKey)[name] === undefined,
    reason: `spin on ${name}`,
  };
}
export function* unlock(cpu: number, name: string): Routine {
  yield* order({ to: 'locks', type: 'ReleaseLock', cpu, lock: name } as Command);
}

/** The lock that Linux calls mm->page_table_lock, of one address space. */
export const pageTableLock = (mm: number): string => `page_table_lock:${mm}`;
