import type { Command, Component, TlbScope, VocabularyFactOf } from '@tablewalk/contracts';

/**
 * TLB maintenance as orders and facts (ARM ARM DDI 0406C B4.2.2). In a run the entries themselves live in
 * the arenas, which hear the facts; in exploration `tlbModel` takes the place of the component.
 */
export interface InvalidateTlb extends Command {
  readonly cpu: number;
  readonly scope: TlbScope;
  readonly asid: number;
  readonly startVpn: number;
  readonly endVpn: number;
}

export const invalidateTlb = (
  cpu: number,
  scope: TlbScope,
  asid: number,
  startVpn: number,
  endVpn: number,
): InvalidateTlb => ({ to: 'tlb', type: 'InvalidateTlb', cpu, scope, asid, startVpn, endVpn });

export const maintenance: Component<
  Record<string, never>,
  InvalidateTlb,
  VocabularyFactOf<'TlbInvalidated'>
> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: ({ cpu, scope, asid, startVpn, endVpn }) => [
    { type: 'TlbInvalidated', cpu, scope, asid, startVpn, endVpn },
  ],
  evolve() {},
};
