import { AccessKind, FaultKind, PIECE_KIND_MASK, PieceFlag, TrapKind } from '@tablewalk/contracts';
import type { Manifest, TlbOrder } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hold } from '../property.ts';
import { openMachine } from '../small-machine.ts';
import { inSlot } from '../small-machine.ts';
import type { Knobs } from '../small-machine.ts';
import { accesses, EngineUnderTest, GLOBAL_VPN, orders, remaps } from './tlb-model.ts';
import type { Access } from './tlb-model.ts';

export interface TlbSupport {
  readonly knobs?: readonly Knobs[];
}

const CPUS = 2;

/**
 * The exact facet against what the architecture lets a TLB hold: any translation that a walk of this CPU
 * found and nothing has invalidated since, and nothing else (ARM ARM DDI 0406C B3.9). Which of them it
 * holds is the policy's business. A plugin's architectural facet must allow exactly these.
 */
export function tlbSuite(manifest: Manifest, { knobs = [{}] }: TlbSupport = {}): void {
  describe.each(knobs)(`slot tlb: ${manifest.id} %j`, (knob) => {
    const newEngine = (): EngineUnderTest => {
      const { tlb } = openMachine({ cpus: CPUS, ...inSlot(manifest, knob) }).slots;
      return new EngineUnderTest((walker) => tlb.engine(walker), CPUS, tlb.model?.bind(tlb));
    };

    it('translates to what a walk found and nobody has invalidated since, and to nothing else', () => {
      hold(
        fc.property(
          fc.array(fc.oneof(accesses(CPUS), accesses(CPUS), orders(CPUS), remaps()), {
            maxLength: 80,
            size: 'max',
          }),
          (events) => {
            const under = newEngine();
            for (const event of events)
              if (event.kind === 'access') under.access(event);
              else if (event.kind === 'order') under.invalidate(event.cpu, event.order);
              else under.remap(event);
          },
        ),
        60,
      );
    });

    it('cuts a reference at page boundaries only, in order, every byte once (a modify: read, then written)', () => {
      hold(
        fc.property(fc.array(accesses(1), { minLength: 1, maxLength: 20 }), (list) => {
          const under = newEngine();
          for (const access of list) checkPieces(under, access);
        }),
      );
    });

    it('says the same however a batch is cut', () => {
      hold(
        fc.property(fc.array(accesses(1), { minLength: 2, maxLength: 40 }), fc.nat(100), (list, cut) => {
          const [whole, cutUp] = [newEngine(), newEngine()];
          const at = 1 + (cut % (list.length - 1));
          const once = whole.run(list);
          const twice = [...cutUp.run(list.slice(0, at)), ...cutUp.run(list.slice(at))];
          expect(twice).toEqual(once);
          expect(cutUp.engine.outcomeWord(0)).toBe(whole.engine.outcomeWord(0));
          expect([...cutUp.engine.counters(0)]).toEqual([...whole.engine.counters(0)]);
        }),
        40,
      );
    });

    it('tells of the first use of a watched entry, once, and of nothing when the entry is gone', () => {
      const under = newEngine();
      const access: Access = {
        kind: 'access',
        cpu: 0,
        asid: 1,
        access: AccessKind.load,
        va: 0x8010,
        size: 4,
      };
      under.access(access);
      const { engine } = under;
      expect(engine.watch(0, 2, 8), 'another address space').toBe(0);
      expect(engine.watch(0, 1, 8)).toBeGreaterThan(0);
      const { trap, pfn } = under.attempt({ ...access, va: 0x8ff0 });
      expect([trap, pfn]).toEqual([TrapKind.watched, under.frameOf(1, 8)]);
      expect(under.attempt(access).trap).toBe(TrapKind.none);
      expect(engine.watchFrame(0, under.frameOf(1, 8))).toBeGreaterThan(0);
      under.invalidate(0, { scope: 'va', asid: 1, startVpn: 8, endVpn: 9 });
      expect(engine.watchFrame(0, under.frameOf(1, 8))).toBe(0);
      expect(under.attempt(access).trap).toBe(TrapKind.none);
      expect(engine.watchFrame(1, under.frameOf(1, 8)), 'the other CPU').toBe(0);
    });

    it('faults on what is not mapped or not permitted, and keeps no entry of a failed walk', () => {
      const under = newEngine();
      const at = (va: number, access: AccessKind): Access => ({
        kind: 'access',
        cpu: 0,
        asid: 1,
        access,
        va,
        size: 4,
      });
      under.unmap(1, 9);
      const missing = under.attempt(at(0x9000, AccessKind.load));
      expect([missing.trap, missing.fault, missing.write]).toEqual([
        TrapKind.fault,
        FaultKind.translation,
        false,
      ]);
      expect(Object.values(under.engine.validEntries(0)).reduce((sum, count) => sum + count, 0)).toBe(0);
      under.readOnly(1, 10);
      for (const kind of [AccessKind.store, AccessKind.modify]) {
        const refused = under.attempt(at(0xa000, kind));
        expect([refused.trap, refused.fault, refused.write]).toEqual([
          TrapKind.fault,
          FaultKind.permission,
          true,
        ]);
      }
      expect(under.attempt(at(0xa000, AccessKind.load)).trap).toBe(TrapKind.none);
      expect(under.attempt(at(0xa000, AccessKind.store)).fault).toBe(FaultKind.permission);
    });

    it('empties by "all", spares global entries by ASID, takes them by address', () => {
      const entries = (under: EngineUnderTest): number =>
        Object.values(under.engine.validEntries(0)).reduce((sum, count) => sum + count, 0);
      const filled = (): EngineUnderTest => {
        const under = newEngine();
        for (const vpn of [8, GLOBAL_VPN])
          under.attempt({ kind: 'access', cpu: 0, asid: 1, access: 1, va: vpn * 4096, size: 1 });
        return under;
      };
      const after = (order: TlbOrder): number => {
        const under = filled();
        const gone = under.engine.invalidate(0, order);
        expect(gone).toBeGreaterThan(0);
        return entries(under);
      };
      expect(after({ scope: 'all', asid: 0, startVpn: 0, endVpn: 0 })).toBe(0);
      expect(after({ scope: 'va-all-asids', asid: 0, startVpn: 0, endVpn: 100 })).toBe(0);
      expect(after({ scope: 'va', asid: 1, startVpn: 8, endVpn: GLOBAL_VPN + 1 })).toBe(0);
      expect(walksFor(GLOBAL_VPN, { scope: 'asid', asid: 1, startVpn: 0, endVpn: 0 })).toBeLessThanOrEqual(1);
      expect(walksFor(8, { scope: 'asid', asid: 1, startVpn: 0, endVpn: 0 })).toBe(1);

      function walksFor(vpn: number, order: TlbOrder): number {
        const under = filled();
        under.engine.invalidate(0, order);
        const before = under.walks;
        under.attempt({ kind: 'access', cpu: 0, asid: 1, access: 1, va: vpn * 4096, size: 1 });
        return under.walks - before;
      }
    });
  });
}

function checkPieces(under: EngineUnderTest, access: Access): void {
  const { trap, pieces } = under.attempt(access);
  if (trap !== TrapKind.none) {
    expect(pieces.every(({ kind }) => (kind & PIECE_KIND_MASK) === AccessKind.walk)).toBe(true);
    return;
  }
  const own = pieces.filter(({ kind }) => (kind & PIECE_KIND_MASK) !== AccessKind.walk);
  const passes = own.filter(({ kind }) => (kind & PieceFlag.continues) === 0).length;
  const kinds = own.map(({ kind }) => kind & PIECE_KIND_MASK);
  const cutModify = access.access === AccessKind.modify && passes === 2;
  expect(passes).toBe(cutModify ? 2 : 1);
  const half = own.length / passes;
  for (let pass = 0; pass < passes; pass++) {
    let va = access.va;
    for (const piece of own.slice(pass * half, (pass + 1) * half)) {
      expect(piece.va).toBe(va);
      expect((piece.kind & PieceFlag.modified) !== 0).toBe(pass === 1);
      va += piece.size;
      if (va < access.va + access.size) expect(va % 4096, 'a cut that is no page boundary').toBe(0);
    }
    expect(va).toBe(access.va + access.size);
  }
  const wanted = cutModify
    ? kinds.map((_, i) => (i < half ? AccessKind.load : AccessKind.store))
    : kinds.map(() => access.access);
  expect(kinds).toEqual(wanted);
}
