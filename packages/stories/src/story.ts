import type {
  AnyComponent,
  CacheModel,
  CpuPage,
  MachineFacts,
  Programs,
  Slots,
  TlbModel,
} from '@tablewalk/contracts';
import type { NamedComponent, Play } from '@tablewalk/machine';

/**
 * A scenario that somebody told (a mailing-list thread, a paper, a bug report): a scene, tasks and devices,
 * what must never happen, and variants that differ in a plugin or a knob. One file each; see README.md.
 */
export type Story = ModelStory | MachineStory;

interface Told {
  /** File name and name on the command line, dashed lower case. */
  readonly id: string;
  readonly title: string;
  /** Thread, commit, paper, section of a spec. */
  readonly source: string;
  /** What happens, in a few sentences, as its teller would say it. */
  readonly about: string;
  /** By name. `broken` and `repaired` name the first variant that is violated, or holds, where a story has more. */
  readonly variants: Readonly<Record<string, Variant>>;
  /** Single-step mutants of the repaired program that nothing catches (`explore STORY --mutate` prints them). */
  readonly survivors?: readonly Survivors[];
}

/** Mutants that survive for one reason. */
export interface Survivors {
  /** Of their names; a test holds it against what survives. */
  readonly named: RegExp;
  /** Why it is no bug, or why this story cannot see it. */
  readonly why: string;
}

export interface Variant {
  readonly verdict: 'violated' | 'holds';
  /** What is different in this one, a line. */
  readonly what: string;
  /** Where `verdict` is `violated`: the rule that names it, as a checker or a detector says it. */
  readonly rule?: string;
}

/** States its own small world: components, actions and programs, with no plugin. */
export interface ModelStory extends Told {
  readonly kind: 'model';
  /** Numbers that `--set name=value` may change, with their defaults. */
  readonly knobs?: Readonly<Record<string, number>>;
  build(variant: string, knobs: Readonly<Record<string, number>>): Staged;
}

/** Plays on a machine file, with real plugins, in their architectural facets where they have one. */
export interface MachineStory extends Told {
  readonly kind: 'machine';
  /** Name of a machine that comes with Tablewalk. */
  readonly machine: string;
  /** Overrides of the machine file for every variant, by path: `{ cpus: 3, 'slots.mmu-gather': '...' }`. */
  readonly set?: Overrides;
  /** Overrides by variant, over `set`. */
  readonly setBy?: Readonly<Record<string, Overrides>>;
  /** What the hardware is free to do; each adversary is off unless it is named here. */
  readonly freedom?: Freedom;
  /** By variant, what of it is different. */
  readonly freedomBy?: Readonly<Record<string, Freedom>>;
  build(slots: Slots, variant: string, machine: MachineFacts, models: Models): Cast;
}
/** The architectural facets that the machine plays with, where its plugins have them. */
export interface Models {
  readonly tlb: TlbModel;
  readonly cache: CacheModel;
  /** Of those plugins that have one. */
  readonly frames?: { readonly component: AnyComponent };
}
export type Overrides = Readonly<Record<string, unknown>>;

export interface Freedom {
  readonly speculativeWalks?: readonly CpuPage[];
  readonly tlbEvictions?: readonly CpuPage[];
  readonly cacheEvictions?: readonly CpuPage[];
  /** Pages whose lines a CPU may fetch without being asked, by physical address. */
  readonly prefetches?: readonly CpuPage[];
  /** Allocations that may fail though there is memory. */
  readonly allocationFailures?: number;
  /** Lines of a page that the cache model tells apart. Default 2. */
  readonly linesPerPage?: number;
}

/** What a machine story adds to its machine. `programs` are named by the tasks and the scene as `story/NAME`. */
export interface Cast {
  readonly programs: Programs;
  readonly play: Play;
  /** Components of the story's own: a device, a second driver. */
  readonly components?: readonly NamedComponent[];
  readonly symmetries?: readonly Symmetry[];
  /** Programs whose every single-step mutation is explored; absent: those of the tasks. */
  readonly underTest?: readonly string[];
}

/** A play with everything it is played on. */
export interface Staged {
  readonly cpus: number;
  readonly components: readonly NamedComponent[];
  readonly programs: Programs;
  readonly play: Play;
  readonly symmetries?: readonly Symmetry[];
  /** Slices that make an outcome, for comparing sets of them. Absent: all. */
  readonly observed?: readonly string[];
  /** Programs, and actors of actions, whose every single-step mutation is explored; absent: all. */
  readonly underTest?: readonly string[];
}

/**
 * A permutation under which the story is the same: CPUs, pages or slots that are alike. It renames slices and
 * tasks, and numbers inside slices. Exploration keeps one state of those that differ only by it.
 */
export interface Symmetry {
  /** What is alike: `CPUs 1 and 2`. */
  readonly name: string;
  /** Slices that change places: the value under the first name goes under the second. Others stay. */
  readonly slices?: Readonly<Record<string, string>>;
  /** Tasks that change places, by number. */
  readonly tasks?: Readonly<Record<number, number>>;
  /** A slice's value with its inner names changed; undefined: as it is. `slice`: its name before the move. */
  readonly value?: (slice: string, value: unknown) => unknown;
}
