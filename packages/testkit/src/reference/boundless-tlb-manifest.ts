import { defineManifest } from '@tablewalk/contracts';
import type { Command, Component, TlbOrder, TlbPlugin, VocabularyFactOf } from '@tablewalk/contracts';
import { z } from 'zod';
import { BoundlessTlb } from './boundless-tlb.ts';

type Invalidate = Command & TlbOrder & { cpu: number };
const maintenance: Component<Record<string, never>, Invalidate, VocabularyFactOf<'TlbInvalidated'>> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: ({ cpu, scope, asid, startVpn, endVpn }) => [
    { type: 'TlbInvalidated', cpu, scope, asid, startVpn, endVpn },
  ],
  evolve() {},
};

const boundlessTlb = (cpus: number): TlbPlugin => ({
  component: maintenance,
  engine: (walker) => new BoundlessTlb(walker, cpus),
  invalidate(cpu, scope, asid, startVpn, endVpn): Invalidate {
    return { to: 'tlb', type: 'InvalidateTlb', cpu, scope, asid, startVpn, endVpn };
  },
});

export const boundlessTlbManifest = defineManifest({
  id: 'tlb-boundless',
  slot: 'tlb',
  version: '1.0.0',
  summary: 'Keeps every translation until it is invalidated: the most that any TLB may hold.',
  source: 'ARM ARM DDI 0406C B3.9: an implementation may cache any translation, for any time',
  requires: [],
  config: z.strictObject({}),
  create: (_config, _deps, { cpus }) => boundlessTlb(cpus),
});
