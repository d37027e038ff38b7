import { cpusKey } from '@tablewalk/contracts';
import type { AccessOutcome, TlbScope } from '@tablewalk/contracts';
import { componentSuite, Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { tlbModelKey } from './index.ts';
import type { CpuTlb } from './index.ts';

const VA = 0x8000;
const OTHER = 0x9000;
/** The direct mapping of RAM: a section of 1 MiB, global. */
const SECTION = 0xc000_0000;
const PFN = 0x80010;
const CONTEXT = { cpu: 0, args: [] };

/** Two CPUs in mm 1, which has one page. */
function lab(cpus = 2): Lab {
  const bench = new Lab(
    { cpus, ram: '2MiB' },
    {
      speculativeWalks: [
        { cpu: 1, va: VA },
        { cpu: 1, va: OTHER },
      ],
      evictions: [{ cpu: 0, va: VA }],
    },
  );
  for (const mm of [1, 2]) bench.process(mm);
  for (let cpu = 0; cpu < cpus; cpu++) bench.switchTo(cpu, 1);
  map(bench, VA, PFN);
  return bench;
}
function map(bench: Lab, va: number, pfn: number, mm = 1): void {
  const table = bench.slots['page-table'];
  bench.do(0, table.populate(CONTEXT, mm, va));
  bench.do(0, table.setPte(CONTEXT, mm, va, { pfn, young: true, dirty: true, write: true }));
}
const unmap = (bench: Lab, va = VA): unknown =>
  bench.do(0, bench.slots['page-table'].clearPte(CONTEXT, 1, va));
const access = (bench: Lab, cpu: number, va: number, write = false): AccessOutcome =>
  bench.do(cpu, bench.model.access({ cpu, args: [] }, va, write));
const tlb = (bench: Lab, cpu: number): CpuTlb => bench.view(tlbModelKey)[cpu] as CpuTlb;
const invalidate = (bench: Lab, cpu: number, scope: TlbScope, asid = 0, startVpn = 0, endVpn = 0): void => {
  bench.journal.issue(bench.slots.tlb.invalidate(cpu, scope, asid, startVpn, endVpn), cpu);
  bench.journal.settle();
};
const types = (bench: Lab, from: number): string[] => bench.facts.slice(from).map(({ fact }) => fact.type);
const walker = (bench: Lab, label: string): boolean => bench.happens('walker of CPU 1', label);

describe('an access', () => {
  it('that misses reads a descriptor a step, then fills and accesses in one; a hit is one step', () => {
    const bench = lab();
    let from = bench.facts.length;
    expect(access(bench, 0, VA + 8, true)).toEqual({ kind: 'done', pa: PFN * 4096 + 8 });
    expect(types(bench, from)).toEqual([
      'WalkStarted',
      'WalkDescended',
      'WalkFound',
      'TlbEntryFilled',
      'WalkEnded',
      'AccessPerformed',
    ]);
    from = bench.facts.length;
    expect(access(bench, 0, VA)).toEqual({ kind: 'done', pa: PFN * 4096 });
    expect(types(bench, from)).toEqual(['AccessPerformed']);
    expect(tlb(bench, 0).entries).toEqual([
      { asid: 1, global: false, vpn: 8, pfn: PFN, pageShift: 12, write: true },
    ]);
    expect(tlb(bench, 1).entries).toEqual([]);
  });

  it('by a section needs one read, and its entry serves a megabyte under every ASID', () => {
    const bench = lab();
    const from = bench.facts.length;
    expect(access(bench, 0, SECTION + 0x123, true)).toEqual({ kind: 'done', pa: 0x8000_0123 });
    expect(types(bench, from).filter((type) => type.startsWith('Walk'))).toHaveLength(3);
    bench.switchTo(0, 2);
    expect(bench.model.held(bench.view, 0, SECTION + 0xf_fff0)).toEqual([0x800f_fff0]);
    expect(bench.model.held(bench.view, 0, SECTION + 0x10_0000)).toEqual([]);
  });

  it('faults where the tables give nothing, at the level where they end, and nothing is held of it', () => {
    const bench = lab();
    for (const [va, level, status] of [
      [OTHER, 2, 0b00111],
      [0x4000_0000, 1, 0b00101],
    ] as const) {
      expect(access(bench, 0, va, true)).toEqual({ kind: 'fault', fault: 1, status, level });
      expect(bench.facts.at(-1)?.fact).toMatchObject({ type: 'AbortTaken', cpu: 0, mm: 1, va, write: true });
    }
    expect(tlb(bench, 0)).toEqual({ entries: [], demand: { kind: 'idle' }, speculative: { kind: 'idle' } });
  });

  it('a store through a read-only entry aborts; the entry may be held all the same', () => {
    const bench = lab();
    bench.do(
      0,
      bench.slots['page-table'].setPte(CONTEXT, 1, VA, { pfn: PFN, young: true, dirty: false, write: true }),
    );
    for (const _ of [1, 2])
      expect(access(bench, 0, VA, true)).toEqual({ kind: 'fault', fault: 4, status: 0b01111, level: 2 });
    expect(access(bench, 0, VA, false).kind).toBe('done');
    expect(tlb(bench, 0).entries).toHaveLength(1);
  });

  it('says when the tables no longer give the frame that it used', () => {
    const bench = lab();
    access(bench, 1, VA);
    unmap(bench);
    const from = bench.facts.length;
    expect(access(bench, 1, VA + 4, true).kind).toBe('done');
    expect(bench.facts.slice(from).map(({ fact }) => fact)).toEqual([
      { type: 'StaleTranslationUsed', cpu: 1, mm: 1, va: VA + 4, pfn: PFN, write: true },
      { type: 'AccessPerformed', cpu: 1, mm: 1, va: VA + 4, pa: PFN * 4096 + 4, write: true },
    ]);
  });
});

describe('between two steps of an access', () => {
  /** CPU 1 accesses, CPU 0 does something after so many of its steps. */
  function meanwhile(steps: number, act: (bench: Lab) => void): { bench: Lab; outcome: AccessOutcome } {
    const bench = lab();
    let taken = 0;
    const jobs = [{ cpu: 1, routine: bench.model.access({ cpu: 1, args: [] }, VA, true) }];
    const [outcome] = bench.race(jobs, () => {
      if (taken++ === steps) act(bench);
      return 0;
    });
    return { bench, outcome: outcome as AccessOutcome };
  }
  const note = (bench: Lab, fact: object): void => bench.note(fact as never);
  /** The hardware's word goes, without a routine: a routine would settle within a race. */
  const clear = (bench: Lab): void => {
    const { journal } = bench;
    const word = bench.facts.findLast(({ fact }) => fact.type === 'WordStored')?.fact as { pa?: number };
    note(bench, { type: 'WordStored', pa: word.pa, value: 0 });
    journal.settle();
  };

  it.each([0, 1, 2])('the entry goes before the walk has read it: a fault (after %i steps)', (steps) => {
    expect(meanwhile(steps, clear).outcome.kind).toBe('fault');
  });

  it('the entry goes after the walk has read it: the access is done, by a translation that is gone', () => {
    const { bench, outcome } = meanwhile(3, clear);
    expect(outcome.kind).toBe('done');
    expect(bench.factsOf('StaleTranslationUsed')).toHaveLength(1);
    expect(tlb(bench, 1).entries).toHaveLength(1);
  });

  it('an invalidation that names the page ends the walk, and the access begins again', () => {
    for (const [scope, asid] of [
      ['va', 1],
      ['va-all-asids', 0],
      ['asid', 1],
      ['all', 0],
    ] as const) {
      const { bench, outcome } = meanwhile(3, (within) => {
        clear(within);
        invalidate(within, 1, scope, asid, 8, 9);
      });
      expect(outcome.kind, scope).toBe('fault');
      expect(tlb(bench, 1).entries).toEqual([]);
    }
  });

  it('one that names another page, another ASID or another CPU does not', () => {
    for (const [cpu, scope, asid, startVpn] of [
      [1, 'va', 1, 9],
      [1, 'va', 2, 8],
      [1, 'asid', 2, 0],
      [0, 'all', 0, 0],
    ] as const) {
      const { outcome } = meanwhile(3, (within) => {
        clear(within);
        invalidate(within, cpu, scope, asid, startVpn, startVpn + 1);
      });
      expect(outcome.kind).toBe('done');
    }
  });

  it('a change of context ends the walk: it is restarted in the tables that are in use then', () => {
    const { bench, outcome } = meanwhile(3, (within) => {
      const ttbr = within.slots['page-table'].ttbr(within.view, 2);
      note(within, { type: 'ContextSwitched', cpu: 1, mm: 2, asid: 2, ttbr });
    });
    expect(outcome.kind).toBe('fault');
    expect(bench.view(cpusKey)[1]?.mm).toBe(2);
    expect(tlb(bench, 1).entries).toEqual([]);
  });
});

describe('of its own accord', () => {
  it('a CPU walks for a page that it holds no translation of, and holds what it found', () => {
    const bench = lab();
    expect(walker(bench, 'reads a descriptor')).toBe(false);
    expect(walker(bench, 'begins a walk for 0x8000')).toBe(true);
    expect(walker(bench, 'begins a walk for 0x9000')).toBe(false);
    for (const _ of [1, 2]) expect(walker(bench, 'reads a descriptor')).toBe(true);
    expect(bench.model.held(bench.view, 1, VA)).toEqual([]);
    expect(walker(bench, 'fills what it has found')).toBe(true);
    expect(bench.model.held(bench.view, 1, VA)).toEqual([PFN * 4096]);
    expect(walker(bench, 'begins a walk for 0x8000')).toBe(false);
    // Nothing is mapped at 0x9000: the walk ends, and may begin again.
    walker(bench, 'begins a walk for 0x9000');
    for (const _ of [1, 2]) walker(bench, 'reads a descriptor');
    expect(walker(bench, 'fills what it has found')).toBe(false);
    expect(walker(bench, 'begins a walk for 0x9000')).toBe(true);
  });

  it('such a walk goes on under the ASID that it began with, and ends when an invalidation names it', () => {
    const bench = lab();
    walker(bench, 'begins a walk for 0x8000');
    bench.switchTo(1, 2);
    for (const _ of [1, 2]) walker(bench, 'reads a descriptor');
    walker(bench, 'fills what it has found');
    expect(tlb(bench, 1).entries.map(({ asid }) => asid)).toEqual([1]);
    bench.switchTo(1, 1);
    invalidate(bench, 1, 'asid', 1);
    walker(bench, 'begins a walk for 0x8000');
    walker(bench, 'reads a descriptor');
    invalidate(bench, 1, 'va', 1, 8, 9);
    expect(walker(bench, 'reads a descriptor')).toBe(false);
  });

  it('a CPU loses an entry', () => {
    const bench = lab();
    const lose = (): boolean => bench.happens('TLB of CPU 0', 'loses the entry for 0x8000');
    expect(lose()).toBe(false);
    access(bench, 0, VA);
    expect(lose()).toBe(true);
    expect(tlb(bench, 0).entries).toEqual([]);
  });
});

describe('maintenance', () => {
  const after = (scope: TlbScope, asid: number, startVpn: number, endVpn: number): number[] => {
    const bench = lab();
    access(bench, 0, VA);
    access(bench, 0, SECTION);
    map(bench, VA, PFN + 1, 2);
    bench.switchTo(0, 2);
    access(bench, 0, VA);
    invalidate(bench, 0, scope, asid, startVpn, endVpn);
    return tlb(bench, 0).entries.map((entry) => (entry.global ? 0 : entry.asid));
  };

  it('takes everything; an ASID but for global entries; addresses of one ASID or of all', () => {
    expect(after('all', 0, 0, 0)).toEqual([]);
    expect(after('asid', 1, 0, 0)).toEqual([0, 2]);
    expect(after('va', 1, 8, 9)).toEqual([0, 2]);
    expect(after('va', 1, 9, 10)).toEqual([0, 1, 2]);
    expect(after('va-all-asids', 0, 8, 9)).toEqual([0]);
  });

  it('any page of a section takes all of it', () => {
    expect(after('va', 7, 0xc00ff, 0xc0100)).toEqual([1, 2]);
    expect(after('va', 7, 0xc0100, 0xc0101)).toEqual([0, 1, 2]);
  });
});

it('equal sets of entries are equal states, whatever the order in which they came', () => {
  const [one, other] = [lab(), lab()];
  for (const bench of [one, other]) map(bench, OTHER, PFN + 1);
  for (const va of [VA, OTHER]) access(one, 0, va);
  for (const va of [OTHER, VA, OTHER]) access(other, 0, va);
  expect(one.view(tlbModelKey)).toEqual(other.view(tlbModelKey));
});

it('of two entries that match, the one is used that the tables do not give', () => {
  const bench = lab();
  access(bench, 0, VA);
  const newer = { type: 'TlbEntryFilled', cpu: 0, asid: 1, global: false, vpn: 8, pfn: 7, pageShift: 12 };
  bench.note({ ...newer, write: true } as never);
  expect(bench.model.held(bench.view, 0, VA)).toEqual([7 * 4096, PFN * 4096]);
  expect(access(bench, 0, VA)).toEqual({ kind: 'done', pa: 7 * 4096 });
});

const bench = lab();
componentSuite({
  name: 'tlb',
  component: bench.model.component,
  schemas: { ...bench.parts.built.schemas, ...bench.model.component.facts },
  cpus: 2,
});
