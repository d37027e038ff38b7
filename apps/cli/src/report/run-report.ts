import { hex } from '@tablewalk/base';
import { processesKey } from '@tablewalk/contracts';
import { statisticsKey, viewOf } from '@tablewalk/machine';
import type { CpuStatistics, World } from '@tablewalk/machine';
import type { Fact, KernelFactOf, RecordedFact } from '@tablewalk/contracts';
import { cyclesSince, retiredSince } from './statistics.ts';

/** The report that `run` and `replay` print: a column a CPU, what happened in TLBs, caches and the kernel. */
export function runReport(world: World, counterNames: readonly string[]): string {
  const view = viewOf(() => world);
  const statistics = view(statisticsKey);
  const sum = (cpu: CpuStatistics, pattern: RegExp): number =>
    counterNames.reduce((total, name, i) => (pattern.test(name) ? total + (cpu.counters[i] ?? 0) : total), 0);
  const rows: (readonly [label: string, ...values: string[]])[] = [];
  const row = (label: string, value: (cpu: CpuStatistics, i: number) => string): void => {
    rows.push([label, ...statistics.cpus.map(value)]);
  };
  row('references', (cpu) => grouped(cpu.references));
  const cycles = cyclesSince(world);
  row('cycles', (_, i) => grouped(cycles[i] ?? 0));
  for (const structure of structuresOf(counterNames)) {
    const asked = new RegExp(`^${structure}\\.(lookups|accesses)::`);
    const missed = new RegExp(`^${structure}\\.misses::([A-Z]|walk)$`);
    row(`${structure} hits`, (cpu) => grouped(sum(cpu, asked) - sum(cpu, missed)));
    row(`${structure} misses`, (cpu) => rate(sum(cpu, missed), sum(cpu, asked)));
  }
  row('table walks', (cpu) => grouped(sum(cpu, /^tlb\.walks$/)));
  row('aborts (faults)', (cpu) => grouped(cpu.aborts));
  row('TLB invalidations', (cpu) => grouped(cpu.tlbInvalidations));
  row('IPIs sent / taken', (cpu) => `${grouped(cpu.ipisSent)} / ${grouped(cpu.ipisTaken)}`);
  row('context switches', (cpu) => grouped(cpu.contextSwitches));
  row('stale uses', (cpu) => grouped(cpu.staleTranslationsUsed));
  const lines = [table(['', ...statistics.cpus.map((_, i) => `CPU ${i}`)], rows)];
  view(processesKey).forEach((process, mm) => {
    if (mm === 0) return;
    const end = statistics.killed[mm] === undefined ? process.phase : `killed: ${statistics.killed[mm]}`;
    lines.push(`process ${mm}  ${process.name}: ${grouped(retiredSince(world, mm))} references, ${end}`);
  });
  lines.push(
    `pages: ${grouped(statistics.pagesAllocated)} allocated, ${grouped(statistics.pagesFreed)} freed, ` +
      `${grouped(statistics.pagesReclaimed)} reclaimed`,
  );
  return lines.join('\n');
}

/** A violation in a sentence: what, where, and the facts that caused and showed it, where they are known. */
export function violationText(
  { seq, fact }: RecordedFact,
  find: (seq: number) => RecordedFact | undefined,
): string {
  const { checker, rule, cpu, culprit, evidence, va, pfn } = fact as KernelFactOf<'PropertyViolated'>;
  return [
    `VIOLATED  ${checker}: ${rule}`,
    `  CPU ${cpu}, va ${hex(va)}, frame ${hex(pfn, 5)}; reported as fact ${seq}`,
    `  caused by ${factText(culprit, find(culprit))}`,
    `  shown by  ${factText(evidence, find(evidence))}`,
  ].join('\n');
}

/** A fact on one line: its number, CPU, time, who decided it, what it says. */
export function factText(seq: number, recorded: RecordedFact | undefined): string {
  if (recorded === undefined) return `fact ${seq}`;
  const { by, cpu, time, fact } = recorded;
  return `fact ${seq}  CPU ${cpu}  ${time}  ${by}: ${saidText(fact)}`;
}

/** What a fact says, without its place. */
export function saidText({ type, ...fields }: Fact): string {
  const said = Object.entries(fields).map(([name, value]) => `${name}=${valueText(name, value)}`);
  return [type, ...said].join(' ');
}

/** Addresses are hexadecimal, as everybody writes them. */
const valueText = (name: string, value: unknown): string =>
  typeof value === 'number' &&
  /^(va|pa|pfn|ttbr|table|from|to|value|startVpn|endVpn)$/.test(name) &&
  value > 9
    ? hex(value, 0)
    : JSON.stringify(value);

/** TLBs and caches by name, in the order of their counters. */
const structuresOf = (counterNames: readonly string[]): string[] => [
  ...new Set(
    counterNames.filter((name) => /\.misses::/.test(name)).map((name) => name.slice(0, name.indexOf('.'))),
  ),
];

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
const rate = (part: number, whole: number): string =>
  whole === 0 ? '0' : `${grouped(part)} (${((100 * part) / whole).toFixed(2)} %)`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ');
  return [line(head), ...rows.map(line)].map((text) => text.trimEnd()).join('\n');
}
