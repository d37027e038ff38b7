import type { FaultKind } from './data-plane.ts';

/**
 * A format of translation tables as the hardware reads it: pure functions of registers and descriptors, no
 * machine around them. A walk is one object that is carried from descriptor to descriptor, so that the explorer
 * can let others act between two reads, the data plane can loop without allocating, and `translate` can tell
 * each level. A new format is a folder with one of these, and a line in no other.
 *
 * Physical addresses are byte addresses below 2^53; virtual ones too. A descriptor of 64 bits is two words,
 * `lo` and `hi`, both unsigned; formats of 32 bits get 0 for `hi`.
 */
export interface TableFormat {
  /** `arm-short`, `arm-lpae`. */
  readonly name: string;
  /** The manual and its sections. */
  readonly source: string;
  /** Bytes of a descriptor. */
  readonly wordBytes: 4 | 8;
  /** Registers without which `regime` cannot tell where a walk begins. */
  readonly registers: readonly string[];
  /** Do these registers select this format? */
  selectedBy(registers: Registers): boolean;
  regime(registers: Registers): Regime;
  /** Every kind of descriptor, with the fields of the manual. */
  readonly layouts: readonly DescriptorLayout[];
  /** The kind that a descriptor is of; its `type` is one of `layouts`. */
  layoutOf(level: number, lo: number, hi: number): DescriptorLayout;
}

/** By the manual's names (`TTBCR`, `TTBR0`, `ID_MMFR0`); what is absent has the value that the format documents. */
export type Registers = Readonly<Record<string, bigint>>;

export interface Access {
  readonly write: boolean;
  /** An instruction fetch; then `write` is false. */
  readonly fetch: boolean;
  /** PL1 (the kernel), or PL0. */
  readonly privileged: boolean;
}

/** Translation under one set of register values. */
export interface Regime {
  /**
   * Begins a walk for `va`: at `ttbr0`, when it is given, in place of the register's. Ends at stage `fault` where
   * the registers disable walks for the address.
   */
  begin(walk: Walk, va: number, ttbr0?: number): void;
  /** What the descriptor that was read at `walk.pa` says: goes on one level down, or ends the walk. */
  descend(walk: Walk, lo: number, hi: number): void;
  /**
   * Whether an access may go through the leaf that was found: `none`, or the first fault in the manual's order.
   * An access flag that is 0 is a fault here, for whatever access.
   */
  check(walk: Walk, access: Access): FaultKind;
  /** Fault status as the format encodes it (short: FS[10,3:0] as FS[4] * 16 + FS[3:0]; LPAE: STATUS). */
  status(fault: FaultKind, level: number): number;
  /** Does the leaf match under every ASID? */
  global(walk: Walk): boolean;
  attributes(walk: Walk): MemoryAttributes;
  /** Answer of an address translation instruction (ATS...), where the architecture has one. */
  par?(walk: Walk, fault: FaultKind): bigint;
}

export const WalkStage = { table: 0, leaf: 1, fault: 2 } as const;
export type WalkStage = (typeof WalkStage)[keyof typeof WalkStage];

/** One walk under way. The caller makes it with `newWalk`, and may use it again. */
export interface Walk {
  va: number;
  /** `table`: the descriptor at `pa` is to be read. `leaf`: `base`, `shift`, `leaf` are set. `fault`: `fault` is. */
  stage: WalkStage;
  /** Level of the descriptor to read next, or of the one that ended the walk: 1 to 3. */
  level: number;
  /** Physical byte address of that descriptor. */
  pa: number;
  /** What upper levels hand down, in the format's own bits. */
  inherited: number;
  fault: FaultKind;
  /** Physical address of the first byte that the leaf maps, and log2 of how many it maps. */
  base: number;
  shift: number;
  /** Permissions and attributes of the leaf, in the format's own bits. */
  leaf: number;
}

export const newWalk = (): Walk => ({
  va: 0,
  stage: WalkStage.table,
  level: 1,
  pa: 0,
  inherited: 0,
  fault: 0,
  base: 0,
  shift: 12,
  leaf: 0,
});

/** `NC` non-cacheable, `WT` write-through, `WB` write-back without, `WBWA` with write-allocate. */
export type Cacheability = 'NC' | 'WT' | 'WB' | 'WBWA';
export type MemoryAttributes =
  | { readonly type: 'strongly-ordered' | 'device' | 'reserved' }
  | {
      readonly type: 'normal';
      readonly inner: Cacheability;
      readonly outer: Cacheability;
      readonly shareable: boolean;
      readonly outerShareable: boolean;
    };

/** A field of a descriptor: bits `[high:low]` of 64, inclusive. */
export interface DescriptorField {
  /** As the manual has it: `AP[1:0]`, `TEX`, `nG`. */
  readonly name: string;
  readonly high: number;
  readonly low: number;
  /** What a value means, in the words of a kernel engineer; empty where the number says it all. */
  meaning?(value: number): string;
}

export interface DescriptorLayout {
  /** As the manual has it: `section`, `page table`, `small page`, `block`. */
  readonly type: string;
  readonly levels: readonly number[];
  /** Bits that make a descriptor one of this type: `[mask, value]` of the low word. */
  readonly is: readonly [mask: number, value: number];
  readonly fields: readonly DescriptorField[];
}
