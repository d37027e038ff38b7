import { HistoryError } from '@tablewalk/base';
import { accessBatch, pushAccess } from '@tablewalk/contracts';
import type { AccessBatch, AccessKind, Stimulus } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter, concat } from './bytes.ts';
import { decodeStimuli, writeStimulus } from './stimuli.ts';

interface Reference {
  readonly kind: number;
  readonly va: number;
  readonly size: number;
}
const reference: fc.Arbitrary<Reference> = fc.record({
  kind: fc.oneof(fc.nat(4), fc.nat(255)),
  va: fc.oneof(fc.nat(2 ** 32 - 1), fc.constantFrom(0, 2 ** 48 - 1), fc.nat(2 ** 37)),
  size: fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.nat(0xffff)),
});

function batchOf(references: readonly Reference[], capacity = references.length): AccessBatch {
  const batch = accessBatch(capacity);
  for (const { kind, va, size } of references) pushAccess(batch, kind as AccessKind, va, size);
  return batch;
}

const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const mm = fc.nat(9);
const stimulus: fc.Arbitrary<Stimulus> = fc.oneof(
  plain({ kind: fc.constant('process' as const), mm, name: fc.string({ unit: 'binary' }) }),
  plain({
    kind: fc.constant('batch' as const),
    mm,
    index: fc.nat(),
    batch: fc.array(reference, { maxLength: 60 }).map((references) => batchOf(references)),
  }),
  plain({ kind: fc.constant('choice' as const), taken: fc.nat(5), of: fc.nat(9) }),
  plain({
    kind: fc.constant('measure' as const),
    what: fc.constantFrom('begin' as const, 'interval' as const, 'end' as const),
    references: fc.maxSafeNat(),
  }),
);

function encode(stimuli: readonly Stimulus[]): Uint8Array {
  const count = new ByteWriter();
  count.natural(stimuli.length);
  const block = new ByteWriter();
  for (const one of stimuli) writeStimulus(block, one);
  return concat([count.bytes(), block.bytes()]);
}

describe('a block of stimuli', () => {
  const stimuli = fc.array(stimulus, { minLength: 1, maxLength: 8 });

  test('comes back as it was', () => {
    fc.assert(
      fc.property(stimuli, (list) => {
        expect(decodeStimuli(encode(list), 'here')).toStrictEqual(list);
      }),
      { numRuns: 200 },
    );
  });

  test('says what is wrong with it, whatever was changed or cut off', () => {
    const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255));
    fc.assert(
      fc.property(
        stimuli,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.nat(99),
        (list, changes, cut) => {
          const bytes = encode(list);
          for (const [where, byte] of changes) bytes[Math.floor(where * (bytes.length - 1))] = byte;
          try {
            decodeStimuli(bytes.subarray(0, Math.max(0, bytes.length - cut)), 'here');
          } catch (error) {
            if (!(error instanceof HistoryError)) throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('keeps of a batch what is in use, not its capacity', () => {
    const references = [{ kind: 1, va: 0x8000, size: 4 }];
    const [one] = decodeStimuli(
      encode([{ kind: 'batch', mm: 1, index: 0, batch: batchOf(references, 4096) }]),
      'here',
    );
    expect(one).toStrictEqual({ kind: 'batch', mm: 1, index: 0, batch: batchOf(references) });
  });

  test('is not believed when it claims more than its bytes can hold', () => {
    const forged = (...numbers: number[]) => {
      const out = new ByteWriter();
      for (const number of numbers) out.natural(number);
      return () => decodeStimuli(out.bytes(), 'here');
    };
    expect(forged(2 ** 50)).toThrow('cannot lie in');
    expect(forged(1, 1, 1, 0, 2 ** 40)).toThrow('a batch of');
    expect(forged(1, 1, 1, 0, 5, 2 ** 40)).toThrow('cannot lie in');
  });

  test('takes about two bytes for a reference of straight code', () => {
    const references = Array.from({ length: 4096 }, (_, i) =>
      i % 4 === 3
        ? { kind: 1, va: 0xbdff_0000 + ((i * 20) % 512), size: 4 }
        : { kind: 0, va: 0x8000 + i * 4, size: 4 },
    );
    const bytes = encode([{ kind: 'batch', mm: 1, index: 0, batch: batchOf(references) }]);
    expect(bytes.length / references.length).toBeLessThan(2.5);
  });
});
