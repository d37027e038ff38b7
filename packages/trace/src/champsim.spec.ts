import { AccessKind, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHAMPSIM_RECORD_BYTES, ChampSimReader } from './champsim.ts';
import type { TraceReaderOptions } from './trace-reader.ts';

interface Instruction {
  readonly ip: number;
  readonly stores: readonly number[];
  readonly loads: readonly number[];
}

function recordsOf(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * CHAMPSIM_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ ip, stores, loads }, i) => {
    const at = i * CHAMPSIM_RECORD_BYTES;
    view.setBigUint64(at, BigInt(ip), true);
    bytes.set([1, i % 2, 26, 25, 6, 7, 8, 9], at + 8);
    stores.forEach((va, n) => view.setBigUint64(at + 16 + 8 * n, BigInt(va), true));
    loads.forEach((va, n) => view.setBigUint64(at + 32 + 8 * n, BigInt(va), true));
  });
  return bytes;
}

const listed = (batches: readonly AccessBatch[]): number[][] =>
  batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => [
      batch.kind[i] as number,
      vaOfAccess(batch, i),
      batch.size[i] as number,
    ]),
  );

function read(bytes: Uint8Array, cuts: readonly number[] = [], options: TraceReaderOptions = {}): number[][] {
  const reader = new ChampSimReader({ name: 't.champsim', ...options });
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  let start = 0;
  const said = ends.flatMap((end) => listed(reader.push(bytes.subarray(start, (start = end)))));
  return [...said, ...listed(reader.end())];
}

const { fetch, load, store } = AccessKind;

describe('ChampSimReader', () => {
  it('fetches the ip, loads the sources, stores the destinations, each within its block', () => {
    const bytes = recordsOf([
      { ip: 0x401000, loads: [0x7fff_0000_1000, 0, 0x20], stores: [0x7fff_0000_1000] },
      { ip: 0x40103e, loads: [], stores: [0, 0x103f] },
    ]);
    expect(read(bytes)).toEqual([
      [fetch, 0x401000, 4],
      [load, 0x7fff_0000_1000, 8],
      [load, 0x20, 8],
      [store, 0x7fff_0000_1000, 8],
      [fetch, 0x40103e, 2],
      [store, 0x103f, 1],
    ]);
  });

  it('says the same wherever the chunks are cut', () => {
    const va = fc.oneof(fc.constant(0), fc.nat(2 ** 40));
    const instruction = fc.record({
      ip: fc.nat(2 ** 47),
      stores: fc.array(va, { maxLength: 2 }),
      loads: fc.array(va, { maxLength: 4 }),
    });
    const cuts = fc.array(fc.nat(2000), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(instruction, { maxLength: 20 }), cuts, (instructions, cuts) => {
        const room = (va: number, bytes: number): number => Math.min(bytes, 64 - (va % 64));
        const expected = instructions.flatMap(({ ip, loads, stores }) => [
          [fetch, ip, room(ip, 4)],
          ...loads.filter((va) => va > 0).map((va) => [load, va, room(va, 8)]),
          ...stores.filter((va) => va > 0).map((va) => [store, va, room(va, 8)]),
        ]);
        expect(read(recordsOf(instructions), cuts, { batchReferences: 7 })).toEqual(expected);
      }),
    );
  });

  it('refuses what is no record, and a file that ends within one', () => {
    const three = recordsOf(Array.from({ length: 3 }, () => ({ ip: 0x8000, loads: [0x100], stores: [] })));
    expect(() => read(three.subarray(0, 150))).toThrow(/TRACE_TRUNCATED: 22 bytes follow/);
    for (const [at, value] of [
      [64 + 8, 2],
      [64 + 9, 0xff],
      [64 + 7, 0x80],
      [64 + 39, 1],
    ] as const) {
      const bytes = three.slice();
      bytes[at] = value;
      expect(() => read(bytes)).toThrow(/TRACE_BAD_RECORD: record 2 is no ChampSim record/);
      expect(read(bytes, [], { skipBadLines: true })).toHaveLength(4);
    }
    expect(() => read(three, [], { addressBits: 14 })).toThrow(/TRACE_ADDRESS_TOO_WIDE: record 1/);
  });
});
