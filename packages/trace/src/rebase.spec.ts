import { TraceError } from '@tablewalk/base';
import { vaOfAccess } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LackeyReader } from './lackey.ts';
import { Rebase, REBASE_CEILING } from './rebase.ts';

const MIB = 2 ** 20;
const nowhere = (): string => 'here';

describe('Rebase', () => {
  it('moves the stack of a 64-bit valgrind below the ceiling and says so', () => {
    const rebase = new Rebase();
    const reader = new LackeyReader({ addressBits: 32, rebase });
    const text = 'I  0401ab70,3\n S 1fff000d38,8\n S 1ffefffffc,8\n L 1fff000d38,8\n';
    reader.push(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    const batch = reader.end()[0];
    if (batch === undefined) throw new Error('no batch');
    const stack = REBASE_CEILING - 16 * MIB;
    const moved = [0, 1, 2, 3].map((i) => vaOfAccess(batch, i));
    expect(moved).toEqual([0x0401ab70, stack + 0xd38, stack - 4, stack + 0xd38]);
    expect(rebase.summary()).toEqual({
      moves: [{ from: 0x1ffef00000, to: stack - MIB, bytes: 2 * MIB }],
      references: 3,
    });
  });

  it('takes the low 32 bits where they are free', () => {
    const rebase = new Rebase();
    expect(rebase.move(0x12_3456_7890, 8, nowhere)).toBe(0x3456_7890);
    expect(rebase.move(0x13_3456_7890, 8, nowhere)).not.toBe(0x3456_7890);
  });

  it('refuses a low region that comes where another has been moved', () => {
    const rebase = new Rebase();
    rebase.move(0x12_3456_7890, 8, nowhere);
    const low = (): number => rebase.move(0x3450_0000, 8, nowhere);
    expect(low).toThrow(/TRACE_REBASE_COLLISION: the trace uses 0x34500000/);
  });

  it('refuses to tear a reference, across 2^32 too', () => {
    expect(() => new Rebase().move(0xffff_fffc, 8, nowhere)).toThrow(/torn apart/);
    const rebase = new Rebase();
    rebase.move(0x12_3450_0000, 8, nowhere);
    rebase.move(0x13_3460_0000, 8, nowhere); // takes the place beside it
    expect(() => rebase.move(0x12_345f_fffc, 8, nowhere)).toThrow(/torn apart/);
  });

  it('refuses when no place is left', () => {
    const rebase = new Rebase(2 * MIB);
    rebase.move(2 ** 33, 1, nowhere);
    rebase.move(2 ** 34, 1, nowhere);
    expect(() => rebase.move(2 ** 35, 1, nowhere)).toThrow(/no free 1 MiB below 0x00200000/);
  });

  it('is stable and injective, and keeps low addresses', () => {
    const address = fc.oneof(
      fc.nat(2 ** 31 - 1),
      fc
        .tuple(fc.integer({ min: 1, max: 65535 }), fc.nat(8))
        .map(([hi, region]) => hi * 2 ** 32 + region * MIB + 5),
    );
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 60 }), (addresses) => {
        const rebase = new Rebase();
        const places = new Map<number, number>();
        for (const va of [...addresses, ...addresses]) {
          let moved: number;
          try {
            moved = rebase.move(va, 1, nowhere);
          } catch {
            return; // a collision was refused: allowed
          }
          expect(moved % MIB).toBe(va % MIB);
          expect(moved).toBeLessThan(2 ** 32);
          if (va < 2 ** 32) expect(moved).toBe(va);
          const region = Math.floor(va / MIB);
          expect(places.get(region) ?? moved - (moved % MIB)).toBe(moved - (moved % MIB));
          places.set(region, moved - (moved % MIB));
        }
        expect(new Set(places.values()).size).toBe(places.size);
      }),
    );
  });

  it('knows the places that it gave, and no others', () => {
    const address = fc.tuple(fc.constantFrom(0, 1, 2, 17, 65535), fc.nat(600), fc.constantFrom(0, MIB - 4));
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 60 }), (addresses) => {
        const [rebase, plain] = [new Rebase(), new Rebase()];
        let moved = 0;
        try {
          for (const [hi, region, offset] of [...addresses, ...addresses]) {
            const lo = region * MIB + offset;
            const known = rebase.knownPlace(hi, lo, 4);
            const expected = plain.move(hi * 2 ** 32 + lo, 4, nowhere);
            if (known < 0) expect(rebase.move(hi * 2 ** 32 + lo, 4, nowhere)).toBe(expected);
            else expect(known * MIB + offset).toBe(expected);
            expect(rebase.knownPlace(hi, lo, 4) * MIB + offset).toBe(expected);
            expect(rebase.knownPlace(hi, lo + MIB - 8, 9 + offset)).toBe(-1);
            if (known >= 0 && hi > 0) moved += 1;
          }
        } catch (error) {
          if (!(error instanceof TraceError)) throw error; // a collision was refused: allowed
        }
        rebase.count(moved);
        expect(rebase.summary()).toEqual(plain.summary());
      }),
    );
  });
});
