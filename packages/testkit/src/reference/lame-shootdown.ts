import { defineManifest, order, read } from '@tablewalk/contracts';
import type { AsidPlugin, ShootdownPlugin, TlbPlugin } from '@tablewalk/contracts';
import { z } from 'zod';

/**
 * A shootdown that forgets the other CPUs: it invalidates where it runs, and that is all. What was right
 * before SMP, and what a checker must find (INV-9 of spec/mmu-gather.md, TargetsComplete).
 */
function localOnly(asid: AsidPlugin, tlb: TlbPlugin): ShootdownPlugin {
  return {
    *flushTlbRange({ cpu }, mm, startVpn, endVpn) {
      const hwAsid = yield* read((view) => asid.asidOf(view, mm));
      yield* order(tlb.invalidate(cpu, 'va', hwAsid, startVpn, endVpn));
    },
    *flushTlbMm({ cpu }, mm) {
      const hwAsid = yield* read((view) => asid.asidOf(view, mm));
      yield* order(tlb.invalidate(cpu, 'asid', hwAsid, 0, 0));
    },
  };
}

export const lameShootdownManifest = defineManifest({
  id: 'shootdown-local-only',
  slot: 'shootdown',
  version: '1.0.0',
  summary: 'Invalidates on the CPU that asks, and nowhere else: wrong on SMP, for tests.',
  source: 'breaks INV-9 of spec/mmu-gather.md',
  requires: ['asid', 'tlb'],
  config: z.strictObject({}),
  create: (_config, { asid, tlb }) => localOnly(asid, tlb),
});
