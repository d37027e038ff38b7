import { acknowledgeIpi, awaitIpis, interrupt, order, read, readAll } from '@tablewalk/contracts';
import type {
  AsidPlugin,
  ProgramContext,
  Routine,
  ShootdownPlugin,
  TlbPlugin,
  TlbScope,
} from '@tablewalk/contracts';

/**
 * The simplest correct baseline (spec/tlb-and-shootdown.md, 5.3): every other CPU is interrupted, whatever
 * it runs.
 *
 * Initiator: send, invalidate its own TLB, wait for every acknowledgement. Target: a handler with IRQs
 * masked that invalidates locally and acknowledges. The initiator may hold spinlocks but must have
 * IRQs on, or two initiators wait for each other for ever.
 */
export function ipiAll(cpus: number, asid: AsidPlugin, tlb: TlbPlugin): ShootdownPlugin {
  function* shoot(
    { cpu }: ProgramContext,
    scope: TlbScope,
    hwAsid: number,
    startVpn: number,
    endVpn: number,
  ): Routine {
    const targets = yield* readAll(() => others(cpus, cpu));
    const args = [SCOPES.indexOf(scope), hwAsid, startVpn, endVpn];
    const sent = yield* interrupt(cpu, targets, HANDLER, args);
    yield* order(tlb.invalidate(cpu, scope, hwAsid, startVpn, endVpn));
    yield* awaitIpis(sent, 'acknowledgement of a TLB flush IPI');
  }

  function* shootMm(
    context: ProgramContext,
    mm: number,
    scope: TlbScope,
    startVpn: number,
    endVpn: number,
  ): Routine {
    const hwAsid = yield* read((view) => asid.asidOf(view, mm), 'ASID');
    yield* shoot(context, scope, hwAsid, startVpn, endVpn);
  }

  return {
    programs: {
      *'ipi-flush-tlb'({ cpu, args: [id, scope, hwAsid, startVpn, endVpn] }) {
        yield* order(
          tlb.invalidate(
            cpu,
            SCOPES[scope as number] as TlbScope,
            hwAsid as number,
            startVpn as number,
            endVpn as number,
          ),
        );
        yield* order(acknowledgeIpi(id as number, cpu));
      },
    },
    flushTlbRange: (context, mm, startVpn, endVpn) => shootMm(context, mm, 'va', startVpn, endVpn),
    flushTlbKernelRange: (context, startVpn, endVpn) => shoot(context, 'va-all-asids', 0, startVpn, endVpn),
    flushTlbMm: (context, mm) => shootMm(context, mm, 'asid', 0, 0),
  };
}

const HANDLER = 'shootdown/ipi-flush-tlb';
const SCOPES: readonly TlbScope[] = ['all', 'asid', 'va', 'va-all-asids'];

const others = (cpus: number, self: number): number[] =>
  Array.from({ length: cpus }, (_, cpu) => cpu).filter((cpu) => cpu !== self);
