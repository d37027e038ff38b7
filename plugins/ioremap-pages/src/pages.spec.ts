import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const PA = 0x4800_0000;

/** Nicolas Pitre, linux-arm-kernel, 1 October 2013: "in the normal ioremap() case ..." */
describe('ioremap-pages', () => {
  function lab(): Lab {
    const bench = new Lab({ cpus: 2, ram: '2MiB', use: [manifest] }, { speculativeWalks: [], evictions: [] });
    for (const cpu of [0, 1]) {
      bench.process(cpu + 1);
      bench.switchTo(cpu, cpu + 1);
    }
    return bench;
  }
  const map = (bench: Lab, pa = PA, bytes = 4096): number =>
    bench.do(0, bench.slots.ioremap.ioremap(context, pa, bytes)) as number;
  const access = (bench: Lab, cpu: number, va: number): number | string => {
    const outcome = bench.do(cpu, bench.model.access({ cpu, args: [] }, va, false));
    return outcome.kind === 'done' ? outcome.pa : `fault at level ${outcome.level}`;
  };
  const repair = (bench: Lab, cpu: number, va: number): boolean =>
    bench.do(cpu, bench.slots.pgd.translationFault({ cpu, args: [] }, va));

  it('a new first-level word is in init_mm alone, and spreads by a fault', () => {
    const bench = lab();
    const va = map(bench);
    for (const cpu of [0, 1]) {
      expect(access(bench, cpu, va)).toBe('fault at level 1');
      expect(repair(bench, cpu, va)).toBe(true);
      expect(access(bench, cpu, va)).toBe(PA);
    }
  });

  it('what is mapped later in the same two megabytes is there at once for all; so it is when it goes', () => {
    const bench = lab();
    const first = map(bench);
    repair(bench, 1, first);
    const second = map(bench, PA + 0x10_0000, 8192);
    expect(second - first).toBeLessThan(2 ** 21);
    expect(access(bench, 1, second + 4096)).toBe(PA + 0x10_1000);
    bench.do(0, bench.slots.ioremap.iounmap(context, second));
    expect(access(bench, 1, second + 4096)).toBe('fault at level 2');
    // At level 2 no entry is missing: a driver does not call do_translation_fault, and it would copy the same again.
    const from = bench.facts.length;
    repair(bench, 1, second);
    expect(bench.factsOf('WordsCopied', from)).toEqual([]);
    expect(access(bench, 1, second + 4096)).toBe('fault at level 2');
  });

  it('the table remains in memory for ever, ready to be reused', () => {
    const bench = lab();
    const first = map(bench);
    bench.do(0, bench.slots.ioremap.iounmap(context, first));
    const from = bench.facts.length;
    expect(map(bench, PA + 0x20_0000)).toBe(first);
    expect(bench.factsOf('PmdPopulated', from)).toEqual([]);
    expect(bench.factsOf('PmdCleared')).toEqual([]);
  });

  it('answers the address of the byte that was asked for, and unmaps by it', () => {
    const bench = lab();
    const va = map(bench, PA + 0x234, 4096);
    expect(va % 4096).toBe(0x234);
    expect(bench.slots.ioremap.deviceAt(bench.view, va)).toBe(PA + 0x234);
    expect(bench.factsOf('KernelPageMapped').length, 'two pages').toBe(2);
    bench.do(0, bench.slots.ioremap.iounmap(context, va));
    expect(bench.slots.ioremap.deviceAt(bench.view, va)).toBeUndefined();
  });

  it('without memory for a table it answers undefined, and keeps neither pages nor the range', () => {
    const bench = lab();
    while (bench.do(0, bench.slots.frames.allocate('kernel', 0)) !== undefined);
    expect(map(bench)).toBeUndefined();
    const types = bench.facts.map(({ fact }) => fact.type);
    expect(types.slice(-1)).toEqual(['VmAreaReleased']);
  });
});
