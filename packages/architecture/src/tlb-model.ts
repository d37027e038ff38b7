import { present } from '@tablewalk/base';
import { cpusKey, FaultKind, issue, memoryKey, PageFlag, wordAt } from '@tablewalk/contracts';
import type {
  AccessOutcome,
  Action,
  Command,
  Component,
  CpuPage,
  DescriptorMeaning,
  KernelFactOf,
  Reply,
  TlbModel,
  TlbModelParts,
  View,
  VocabularyFactOf,
  WalkPlace,
  WalkSteps,
} from '@tablewalk/contracts';
import { WALK_FACTS } from './tlb-facts.ts';
import type { WalkFact } from './tlb-facts.ts';
import type { InvalidateTlb } from './tlb-maintenance.ts';
import { entryNamed, hold, IDLE, matches, pageOf, sameTranslation, translated } from './tlb-state.ts';
import { tlbModelKey, walkNamed } from './tlb-state.ts';
import type { CpuTlb, HeldTranslation, TlbModelState, Walk } from './tlb-state.ts';

/**
 * The architectural facet of every TLB (ARM ARM DDI 0406C B3.9; spec/tlb-and-shootdown.md, 1, 3, 4): a CPU
 * may hold any translation that a walk of its own has found and no maintenance has taken since, and may lose
 * any of them at any time. A walk reads one descriptor a step, so that others may act between two reads,
 * and holds nothing of what gives a fault.
 *
 * Maintenance is complete when it is ordered: what it names is gone from the TLB and from every walk under
 * way on that CPU (TLBI and the DSB behind it as one step). A change of context ends the walk of the
 * access, which is restarted; a speculative walk goes on under the ASID that it began with.
 *
 * Where several entries match, which is UNPREDICTABLE, the one is used that the tables no longer give.
 * Not modelled: caches of upper levels, fetches, more than one speculative walk of a CPU at a time.
 */
export function tlbModel({ cpus, walkSteps, speculativeWalks, evictions }: TlbModelParts): TlbModel {
  // A story may give a freedom to a CPU that one of its variants does not have.
  const there = (pages: readonly CpuPage[]): CpuPage[] => pages.filter(({ cpu }) => cpu < cpus);
  const component: Component<TlbModelState, TlbCommand, TlbFact> = {
    evolvesOn: [...WALK_FACTS, ...['TlbEntryFilled', 'TlbEntryEvicted', 'TlbInvalidated', 'ContextSwitched']],
    initial: () =>
      Array.from({ length: cpus }, () => ({ entries: [], demand: { ...IDLE }, speculative: { ...IDLE } })),
    decide: (command, state, { view }) =>
      decide(command, present(state[command.cpu], 'cpu'), view, walkSteps),
    evolve(draft, fact) {
      evolve(present(draft[fact.cpu], 'cpu'), fact);
    },
    actions: [...speculation(there(speculativeWalks), walkSteps), ...there(evictions).map(evictionOf)],
  };
  return {
    component,
    held: (view, cpu, va) =>
      matchesNow(view, { cpu, va })
        .map((entry) => translated(entry, va))
        .sort((a, b) => a - b),
    *access({ cpu }, va, write) {
      for (;;) {
        const command: PageCommand = { to: 'tlb', type: 'AccessPage', cpu, va, write };
        const [kind, ...rest] = yield* issue<TlbFact>(command, outcomeReply);
        if (kind === DONE) return { kind: 'done', pa: rest[0] as number };
        if (kind === ABORTED) return faultOutcome(rest as [FaultKind, number, number]);
      }
    },
  };
}

interface PageCommand extends Command {
  readonly type: 'AccessPage' | 'StartWalk' | 'EvictEntry';
  readonly cpu: number;
  readonly va: number;
  readonly write: boolean;
}
interface WalkCommand extends Command {
  readonly type: 'ReadDescriptor' | 'FillEntry';
  readonly cpu: number;
}
type InvalidateCommand = InvalidateTlb & { readonly type: 'InvalidateTlb' };
type TlbCommand = PageCommand | WalkCommand | InvalidateCommand;
type TlbFact =
  | WalkFact
  | VocabularyFactOf<'TlbInvalidated' | 'TlbEntryFilled' | 'TlbEntryEvicted' | 'AccessPerformed'>
  | KernelFactOf<'StaleTranslationUsed' | 'AbortTaken' | 'ContextSwitched'>;

const [GOING_ON, DONE, ABORTED] = [0, 1, 2];

/** What the accessing program observes of its step: it goes on, where it got to, or why not. */
function outcomeReply(facts: readonly TlbFact[]): Reply {
  const last = facts.at(-1);
  if (last?.type === 'AccessPerformed') return [DONE as number, last.pa];
  if (last?.type === 'AbortTaken') return [ABORTED as number, last.kind, last.status, last.level];
  return [GOING_ON as number];
}
const faultOutcome = ([fault, status, level]: [FaultKind, number, number]): AccessOutcome => ({
  kind: 'fault',
  fault,
  status,
  level,
});

function decide(command: TlbCommand, tlb: CpuTlb, view: View, walkSteps: WalkSteps): readonly TlbFact[] {
  const { cpu } = command;
  switch (command.type) {
    case 'InvalidateTlb': {
      const { scope, asid, startVpn, endVpn } = command;
      return [{ type: 'TlbInvalidated', cpu, scope, asid, startVpn, endVpn }];
    }
    case 'AccessPage':
      return access(command, tlb, view, walkSteps);
    case 'StartWalk':
      return startWalk(command, true, view, walkSteps);
    case 'ReadDescriptor':
      return readDescriptor(cpu, tlb.speculative, true, view, walkSteps).facts;
    case 'FillEntry':
      return tlb.speculative.kind === 'found' ? fill(cpu, tlb.speculative, true) : [];
    case 'EvictEntry': {
      const { asid } = present(view(cpusKey)[cpu], 'cpu');
      const [entry] = matches(tlb, asid, command.va);
      return entry === undefined ? [] : [{ type: 'TlbEntryEvicted', cpu, ...entry }];
    }
  }
}

/** One step of a load or store: a hit; a miss, which begins a walk; the next read of it; fill and access. */
function access(command: PageCommand, tlb: CpuTlb, view: View, walkSteps: WalkSteps): readonly TlbFact[] {
  const { cpu, va } = command;
  const { demand } = tlb;
  const { asid, mm } = present(view(cpusKey)[cpu], 'cpu');
  if (demand.kind === 'reading' && demand.va === pageOf(va)) {
    const { facts, fault } = readDescriptor(cpu, demand, false, view, walkSteps);
    if (fault === undefined) return facts;
    return [...facts, { type: 'AbortTaken', cpu, mm, va, ...fault, write: command.write, fetch: false }];
  }
  if (demand.kind === 'found' && demand.va === pageOf(va))
    return [...fill(cpu, demand, false), ...use(command, demand, view, walkSteps)];
  const held = matches(tlb, asid, va);
  if (held.length === 0) return startWalk(command, false, view, walkSteps);
  const stale = held.find((entry) => translated(entry, va) !== tablesSay(cpu, va, view, walkSteps));
  return use(command, stale ?? (held[0] as HeldTranslation), view, walkSteps);
}

/** The access itself, through a translation that the CPU holds. */
function use(
  { cpu, va, write }: PageCommand,
  translation: HeldTranslation,
  view: View,
  walkSteps: WalkSteps,
): readonly TlbFact[] {
  const { mm } = present(view(cpusKey)[cpu], 'cpu');
  if (write && !translation.write) {
    const { status, level } = walkSteps.permission(translation.pageShift);
    const kind = FaultKind.permission;
    return [{ type: 'AbortTaken', cpu, mm, va, kind, status, level, write, fetch: false }];
  }
  const pa = translated(translation, va);
  const performed: TlbFact = { type: 'AccessPerformed', cpu, mm, va, pa, write };
  if (tablesSay(cpu, va, view, walkSteps) === pa) return [performed];
  const pfn = Math.floor(pa / 4096);
  return [{ type: 'StaleTranslationUsed', cpu, mm, va, pfn, write }, performed];
}

/** Where a walk would lead that read the tables of the CPU's own TTBR as they are now. */
function tablesSay(cpu: number, va: number, view: View, walkSteps: WalkSteps): number | undefined {
  const { ttbr } = present(view(cpusKey)[cpu], 'cpu');
  let meaning = walkSteps.begin(ttbr, va);
  while (meaning.kind === 'table') meaning = meaningAt(meaning, va, view, walkSteps);
  if (meaning.kind === 'fault') return undefined;
  return meaning.pfn * 4096 + (va % 2 ** meaning.pageShift);
}

/** What the descriptor there says now. One of 64 bits is read at once. */
function meaningAt(place: WalkPlace, va: number, view: View, walkSteps: WalkSteps): DescriptorMeaning {
  const memory = view(memoryKey);
  const hi = walkSteps.wordBytes === 8 ? wordAt(memory, place.pa + 4) : 0;
  return walkSteps.descend(place, va, wordAt(memory, place.pa), hi);
}

/** A walk begins, or cannot: the registers may disable walks for an address. */
function startWalk(
  { cpu, va, write }: PageCommand,
  speculative: boolean,
  view: View,
  walkSteps: WalkSteps,
): readonly TlbFact[] {
  const { asid, mm, ttbr } = present(view(cpusKey)[cpu], 'cpu');
  const first = walkSteps.begin(ttbr, va);
  if (first.kind === 'table') {
    const { pa, level, inherited } = first;
    return [{ type: 'WalkStarted', cpu, speculative, va: pageOf(va), asid, level, pa, inherited }];
  }
  if (speculative || first.kind === 'page') return [];
  const { fault: kind, status, level } = first;
  return [{ type: 'AbortTaken', cpu, mm, va, kind, status, level, write, fetch: false }];
}

interface Read {
  readonly facts: readonly WalkFact[];
  readonly fault?: { readonly kind: FaultKind; readonly status: number; readonly level: number };
}

/** One read of one walk. */
function readDescriptor(
  cpu: number,
  walk: Walk,
  speculative: boolean,
  view: View,
  walkSteps: WalkSteps,
): Read {
  if (walk.kind !== 'reading') return { facts: [] };
  const { va } = walk;
  const meaning = meaningAt(walk, va, view, walkSteps);
  if (meaning.kind === 'table') {
    const { level, pa, inherited } = meaning;
    return { facts: [{ type: 'WalkDescended', cpu, speculative, level, pa, inherited }] };
  }
  if (meaning.kind === 'fault') {
    const { fault: kind, status, level } = meaning;
    return { facts: [{ type: 'WalkEnded', cpu, speculative }], fault: { kind, status, level } };
  }
  const { pfn, pageShift, flags } = meaning;
  const vpn = (va - (va % 2 ** pageShift)) / 4096;
  const [global, write] = [(flags & PageFlag.global) !== 0, (flags & PageFlag.write) !== 0];
  return { facts: [{ type: 'WalkFound', cpu, speculative, global, vpn, pfn, pageShift, write }] };
}

/** The translation that a walk found is held from here on, and the walk is over. */
function fill(cpu: number, found: HeldTranslation, speculative: boolean): readonly TlbFact[] {
  const { asid, global, vpn, pfn, pageShift, write } = found;
  return [
    { type: 'TlbEntryFilled', cpu, asid, global, vpn, pfn, pageShift, write },
    { type: 'WalkEnded', cpu, speculative },
  ];
}

function evolve(draft: CpuTlb, fact: TlbFact): void {
  switch (fact.type) {
    case 'WalkStarted': {
      const { va, asid, level, pa, inherited } = fact;
      draft[ofWalk(fact)] = { kind: 'reading', va, asid, level, pa, inherited };
      break;
    }
    case 'WalkDescended': {
      const walk = draft[ofWalk(fact)];
      const { level, pa, inherited } = fact;
      if (walk.kind === 'reading') draft[ofWalk(fact)] = { ...walk, level, pa, inherited };
      break;
    }
    case 'WalkFound': {
      const walk = draft[ofWalk(fact)];
      if (walk.kind !== 'reading') break;
      const { global, vpn, pfn, pageShift, write } = fact;
      const asid = global ? 0 : walk.asid;
      draft[ofWalk(fact)] = { kind: 'found', va: walk.va, asid, global, vpn, pfn, pageShift, write };
      break;
    }
    case 'WalkEnded':
      draft[ofWalk(fact)] = { ...IDLE };
      break;
    case 'TlbEntryFilled':
      hold(draft.entries, entryOf(fact));
      break;
    case 'TlbEntryEvicted':
      draft.entries = draft.entries.filter((entry) => !sameTranslation(entry, entryOf(fact)));
      break;
    case 'TlbInvalidated': {
      const order = { ...fact, scope: fact.scope as InvalidateTlb['scope'] };
      if (draft.entries.some((entry) => entryNamed(entry, order)))
        draft.entries = draft.entries.filter((entry) => !entryNamed(entry, order));
      for (const which of ['demand', 'speculative'] as const)
        if (walkNamed(draft[which], order)) draft[which] = { ...IDLE };
      break;
    }
    case 'ContextSwitched':
      if (draft.demand.kind !== 'idle') draft.demand = { ...IDLE };
      break;
  }
}

const ofWalk = ({ speculative }: WalkFact): 'speculative' | 'demand' =>
  speculative ? 'speculative' : 'demand';
function entryOf(fact: VocabularyFactOf<'TlbEntryFilled' | 'TlbEntryEvicted'>): HeldTranslation {
  const { asid, global, vpn, pfn, pageShift, write } = fact;
  return { asid, global, vpn, pfn, pageShift, write };
}

/**
 * A CPU may walk for a page of its list whenever it does not hold what the tables say. A walk that is never
 * carried on, or never filled, is one that did not happen.
 */
function speculation(pages: readonly CpuPage[], walkSteps: WalkSteps): Action[] {
  const cpus = [...new Set(pages.map(({ cpu }) => cpu))];
  const walkIs = (cpu: number, kind: Walk['kind']) => (view: View) =>
    view(tlbModelKey)[cpu]?.speculative.kind === kind;
  const step = (cpu: number, label: string, command: Command, when: Action['when']): Action => ({
    idle: true,
    actor: `walker of CPU ${cpu}`,
    label,
    command,
    ...(when === undefined ? {} : { when }),
  });
  return [
    ...pages.map(({ cpu, va }) =>
      step(
        cpu,
        `begins a walk for ${hex(va)}`,
        { to: 'tlb', type: 'StartWalk', cpu, va, write: false } as Command,
        (view) => walkIs(cpu, 'idle')(view) && !holdsWhatTablesSay(view, { cpu, va }, walkSteps),
      ),
    ),
    ...cpus.flatMap((cpu) => [
      step(
        cpu,
        'reads a descriptor',
        { to: 'tlb', type: 'ReadDescriptor', cpu } as Command,
        walkIs(cpu, 'reading'),
      ),
      step(
        cpu,
        'fills what it has found',
        { to: 'tlb', type: 'FillEntry', cpu } as Command,
        walkIs(cpu, 'found'),
      ),
    ]),
  ];
}

const holdsWhatTablesSay = (view: View, page: CpuPage, walkSteps: WalkSteps): boolean => {
  const said = tablesSay(page.cpu, page.va, view, walkSteps);
  return matchesNow(view, page).some((entry) => translated(entry, page.va) === said);
};

const evictionOf = (page: CpuPage): Action => ({
  idle: true,
  actor: `TLB of CPU ${page.cpu}`,
  label: `loses the entry for ${hex(page.va)}`,
  command: { to: 'tlb', type: 'EvictEntry', ...page, write: false } as Command,
  when: (view) => matchesNow(view, page).length > 0,
});

function matchesNow(view: View, { cpu, va }: CpuPage): readonly HeldTranslation[] {
  const { asid } = present(view(cpusKey)[cpu], 'cpu');
  return matches(present(view(tlbModelKey)[cpu], 'cpu'), asid, va);
}
const hex = (va: number): string => `0x${va.toString(16)}`;
