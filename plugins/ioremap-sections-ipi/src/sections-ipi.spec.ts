import { cpusKey } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const [DEV1, DEV2] = [0x4000_0000, 0x4040_0000];
const SIZE = 2 ** 21;

function lab(knobs: object = {}, cpus = 3): Lab {
  const slots = { ioremap: { use: manifest.id, ...knobs } };
  const machine = { cpus, ram: '2MiB', known: [manifest], slots };
  const bench = new Lab(machine, { speculativeWalks: [], evictions: [] });
  for (const mm of [1, 2, 3]) bench.process(mm);
  for (let cpu = 0; cpu < cpus; cpu++) bench.switchTo(cpu, cpu + 1);
  return bench;
}
const on = (cpu: number) => ({ cpu, args: [] });
const map = (bench: Lab, pa: number): number =>
  bench.do(0, bench.slots.ioremap.ioremap(on(0), pa, SIZE)) as number;
function reach(bench: Lab, cpu: number, va: number): number | undefined {
  for (;;) {
    const outcome = bench.do(cpu, bench.model.access(on(cpu), va, false));
    if (outcome.kind === 'done') return outcome.pa;
    if (!bench.do(cpu, bench.slots.pgd.translationFault(on(cpu), va))) return undefined;
  }
}
const places = (bench: Lab, from: number, types: readonly string[]): string[] =>
  bench.facts
    .slice(from)
    .filter(({ fact }) => types.includes(fact.type))
    .map(({ fact, cpu }) => `${fact.type} ${cpu}`);

/** spec/ioremap.md, 3: clear, IPI, wait, reuse. */
describe('ioremap-sections-ipi', () => {
  it('clears, interrupts every other CPU and waits; only then may the range be used again', () => {
    const bench = lab();
    const va = map(bench, DEV1);
    for (const cpu of [0, 1, 2]) reach(bench, cpu, va);
    const from = bench.facts.length;
    bench.do(0, bench.slots.ioremap.iounmap(on(0), va));
    const told = places(bench, from, [
      'KernelSectionUnmapped',
      'IpiSent',
      'IpiAcknowledged',
      'DeviceUnmapped',
    ]);
    expect(told.slice(0, 4)).toEqual([
      ...['KernelSectionUnmapped 0', 'KernelSectionUnmapped 0'],
      ...['IpiSent 0', 'IpiSent 0'],
    ]);
    expect(told.slice(4, 6).sort()).toEqual(['IpiAcknowledged 1', 'IpiAcknowledged 2']);
    expect(told.slice(6)).toEqual(['DeviceUnmapped 0']);
    expect(map(bench, DEV2)).toBe(va);
    for (const cpu of [0, 1, 2]) expect(reach(bench, cpu, va)).toBe(DEV2);
  });

  it('each target copies for the mm in its TTBR0, forgets the range, and then acknowledges', () => {
    const bench = lab();
    const va = map(bench, DEV1);
    const from = bench.facts.length;
    bench.do(0, bench.slots.ioremap.iounmap(on(0), va));
    const onTwo = bench.facts.slice(from).filter(({ cpu }) => cpu === 2);
    expect(onTwo.map(({ fact }) => fact.type).filter((type) => !type.startsWith('Words'))).toEqual([
      ...['IpiDelivered', 'KernelEntriesCopied', 'VmallocSeqPublished'],
      ...['TlbInvalidated', 'IpiAcknowledged'],
    ]);
    const copied = bench.factsOf<never>('KernelEntriesCopied' as never, from);
    expect(copied.map(({ fact }) => (fact as { mm: number }).mm).sort()).toEqual([1, 2, 3]);
  });

  it('a switch keeps IRQs off from the check to the load of TTBR0', () => {
    const masked = (knobs: object): string[] => {
      const bench = lab(knobs, 1);
      const va = map(bench, DEV1);
      bench.do(0, bench.slots.ioremap.iounmap(on(0), va));
      const from = bench.facts.length;
      bench.switchTo(0, 2);
      expect(bench.view(cpusKey)[0]?.irqsOff).toBe(0);
      const types = ['IrqsDisabled', 'KernelEntriesCopied', 'ContextSwitched', 'IrqsEnabled'];
      return places(bench, from, types).map((place) => place.split(' ')[0] as string);
    };
    expect(masked({})).toEqual(['IrqsDisabled', 'KernelEntriesCopied', 'ContextSwitched', 'IrqsEnabled']);
    expect(masked({ switchMasksIrqs: false })).toEqual(['KernelEntriesCopied', 'ContextSwitched']);
  });

  it('waitForAcks: without, the range is free while other CPUs still lead to the device', () => {
    const bench = lab({ waitForAcks: false });
    const va = map(bench, DEV1);
    reach(bench, 1, va);
    const from = bench.facts.length;
    // CPU 0 takes all of its steps before any other takes its interrupt.
    bench.race([{ cpu: 0, routine: bench.slots.ioremap.iounmap(on(0), va) }], () => 0);
    expect(places(bench, from, ['IpiSent', 'IpiAcknowledged', 'DeviceUnmapped'])).toEqual([
      ...['IpiSent 0', 'IpiSent 0'],
      'DeviceUnmapped 0',
    ]);
    expect(bench.model.held(bench.view, 1, va)).toEqual([DEV1]);
  });

  it('where init_mm had nothing nobody is interrupted', () => {
    const bench = lab();
    const from = bench.facts.length;
    map(bench, DEV1);
    expect(places(bench, from, ['IpiSent'])).toEqual([]);
  });
});
