import { present } from '@tablewalk/base';
import { FaultKind } from '@tablewalk/contracts';
import type { Command, Fact, TlbModel, TlbOrder, TlbPlugin, View, WalkSteps } from '@tablewalk/contracts';
import { Fold, kernelComponents, viewOf } from '@tablewalk/machine';
import type { World } from '@tablewalk/machine';
import { expect } from 'vitest';

/**
 * The architectural facet of a TLB, made to do what an engine does. What it cannot do, no CPU of the
 * architecture does: an engine that is ahead of it is wrong, or it is too strict.
 */
export class ArchitecturalTlb {
  private world: World;
  private readonly model: TlbModel;
  private readonly fold: Fold;
  private readonly view: View;

  constructor(
    model: NonNullable<TlbPlugin['model']>,
    cpus: number,
    pages: readonly { readonly vpn: number }[],
  ) {
    const vpns = [...new Set(pages.map(({ vpn }) => vpn))];
    const speculativeWalks = Array.from({ length: cpus }, (_, cpu) =>
      vpns.map((vpn) => ({ cpu, va: vpn * 4096 })),
    ).flat();
    this.model = model({ cpus, walkSteps: ONE_LEVEL, speculativeWalks, evictions: [] });
    const components = [...kernelComponents(cpus), { name: 'tlb', component: this.model.component }];
    this.fold = new Fold(components, cpus);
    this.world = this.fold.initial();
    this.view = viewOf(() => this.world);
  }

  /** The engine has walked: the model walks of its own accord, and holds what there is. */
  walk(
    cpu: number,
    asid: number,
    vpn: number,
    found?: { readonly pfn: number; readonly flags: number },
  ): void {
    this.note({ type: 'ContextSwitched', cpu, mm: asid, asid, ttbr: asid } as Fact);
    const pa = placeOf(asid, vpn * 4096);
    const value = found === undefined ? 0 : found.pfn * FLAGS + found.flags;
    this.note({ type: 'WordStored', pa, value } as Fact);
    const may = this.happens(cpu, 'StartWalk', vpn * 4096);
    if (!may) {
      expect(this.held(cpu, asid, vpn * 4096), 'a walk that cannot begin').toContain(
        (found?.pfn ?? -1) * 4096,
      );
      return;
    }
    expect(this.happens(cpu, 'ReadDescriptor')).toBe(true);
    expect(this.happens(cpu, 'FillEntry')).toBe(found !== undefined);
  }

  invalidate(cpu: number, order: TlbOrder): void {
    this.issue({ to: 'tlb', type: 'InvalidateTlb', cpu, ...order } as Command);
  }

  /** Where a look-up could lead in an address space, as physical addresses. */
  held(cpu: number, asid: number, va: number): readonly number[] {
    this.note({ type: 'ContextSwitched', cpu, mm: asid, asid, ttbr: asid } as Fact);
    return this.model.held(this.view, cpu, va);
  }

  /** Takes an action of the component, if it may be taken now. */
  private happens(cpu: number, type: string, va?: number): boolean {
    const named = (command: Command & { cpu?: number; va?: number }): boolean =>
      command.type === type && command.cpu === cpu && (va === undefined || command.va === va);
    const { actions = [] } = this.model.component;
    const action = present(
      actions.find(({ command }) => named(command)),
      `action ${type}`,
    );
    if (action.when?.(this.view) === false) return false;
    this.issue(action.command);
    return true;
  }

  private issue(command: Command): void {
    const env = { cpu: -1, view: this.view, below: () => 0 };
    const { component } = this.model;
    for (const fact of component.decide(command, this.world.slices['tlb'], env)) this.note(fact as Fact);
  }

  private note(fact: Fact): void {
    this.fold.direct(this.world, { seq: 0, by: 'test', cpu: -1, time: 0, stimulus: 0, fact });
  }
}

const FLAGS = 16;
/** Tables of one level: a word a page, the root number standing for where they begin. */
const placeOf = (ttbr: number, va: number): number => ttbr * 2 ** 24 + Math.floor(va / 4096) * 4;
const ONE_LEVEL: WalkSteps = {
  wordBytes: 4,
  begin: (ttbr, va) => ({ kind: 'table', pa: placeOf(ttbr, va), level: 2, inherited: 0 }),
  descend: (_place, _va, descriptor) =>
    descriptor === 0
      ? { kind: 'fault', fault: FaultKind.translation, status: 7, level: 2 }
      : { kind: 'page', pfn: Math.floor(descriptor / FLAGS), pageShift: 12, flags: descriptor % FLAGS },
  permission: () => ({ status: 0b01111, level: 2 }),
};
