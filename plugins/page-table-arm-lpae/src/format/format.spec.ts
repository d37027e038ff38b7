import { encodeDescriptor } from '@tablewalk/architecture';
import { FaultKind, newWalk, WalkStage } from '@tablewalk/contracts';
import type { Access, Registers, Walk } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { armLpaeFormat } from './index.ts';
import { block1Layout, pageLayout, tableLayout } from './layouts.ts';

const EAE = 0x8000_0000n;
const TTBR0 = 0x1_4000_0020n;
const TTBR1 = 0x8000_1000n;
const { none, translation, accessFlag, permission } = FaultKind;

function begin(ttbcr: bigint, va: number, more: Registers = {}): Walk {
  const walk = newWalk();
  armLpaeFormat.regime({ TTBCR: EAE | ttbcr, TTBR0, TTBR1, ...more }).begin(walk, va);
  return walk;
}
const t0sz = (size: number): bigint => BigInt(size);
const t1sz = (size: number): bigint => BigInt(size) << 16n;
const placeOf = ({ stage, level, pa }: Walk): unknown => (stage === WalkStage.table ? [level, pa] : 'fault');

describe('where a walk begins (ARM ARM DDI 0406C B3.6.4, B3.6.5)', () => {
  it.each([
    // No split: level 1, four entries of 1 GiB.
    [0, 0, 0x0000_0000, [1, 0x1_4000_0020]],
    [0, 0, 0xffff_ffff, [1, 0x1_4000_0038]],
    // T0SZ 1: two entries at level 1. T0SZ 2 and up: level 2, a table of as many entries as there are 2 MiB.
    [1, 0, 0x7fff_ffff, [1, 0x1_4000_0028]],
    [2, 0, 0x3fff_ffff, [2, 0x1_4000_0ff8]],
    [7, 0, 0x01ff_ffff, [2, 0x1_4000_0000 + 15 * 8]],
    // What TTBR0 does not have, TTBR1 has when T1SZ is 0, by its whole table.
    [1, 0, 0x8000_0000, [1, 0x8000_1010]],
    [2, 0, 0x4000_0000, [1, 0x8000_1008]],
    // T0SZ 0 with T1SZ: TTBR1 has the highest addresses, TTBR0 the rest, with its whole table.
    [0, 1, 0x7fff_ffff, [1, 0x1_4000_0028]],
    [0, 1, 0x8000_0000, [1, 0x8000_1000]],
    [0, 2, 0xbfff_ffff, [1, 0x1_4000_0030]],
    [0, 2, 0xc000_0000, [2, 0x8000_1000]],
    [0, 2, 0xffff_ffff, [2, 0x8000_1ff8]],
    // Both: a hole between the two.
    [2, 2, 0x3fff_ffff, [2, 0x1_4000_0ff8]],
    [2, 2, 0x4000_0000, 'fault'],
    [2, 2, 0xbfff_ffff, 'fault'],
    [2, 2, 0xc000_0000, [2, 0x8000_1000]],
  ])('T0SZ %i, T1SZ %i, %i', (zero, one, va, place) => {
    expect(placeOf(begin(t0sz(zero) | t1sz(one), va))).toEqual(place);
  });

  it('EPD0 and EPD1 disable a half each; that, and the hole, is a translation fault of level 1', () => {
    const [epd0, epd1] = [1n << 7n, 1n << 23n];
    for (const [ttbcr, va] of [
      [t1sz(2) | epd0, 0x1000],
      [t1sz(2) | epd1, 0xc000_0000],
      [t0sz(1) | t1sz(2), 0x8000_0000],
    ] as const)
      expect(begin(ttbcr, va)).toMatchObject({ stage: WalkStage.fault, fault: translation, level: 1 });
    expect(begin(t1sz(2) | epd0, 0xc000_0000).stage).toBe(WalkStage.table);
    expect(begin(t1sz(2) | epd1, 0x1000).stage).toBe(WalkStage.table);
  });

  it('a TTBR0 that is given stands in place of the register, ASID and low bits left out', () => {
    const walk = newWalk();
    armLpaeFormat
      .regime({ TTBCR: EAE | t1sz(2), TTBR0: (0x85n << 48n) | TTBR0 })
      .begin(walk, 0x4000_0000, 0x9000_0040);
    expect(placeOf(walk)).toEqual([1, 0x9000_0048]);
    expect(placeOf(begin(0n, 0x4000_0000, { TTBR0: (0x85n << 48n) | TTBR0 | 0x1fn }))).toEqual([
      1, 0x1_4000_0028,
    ]);
  });

  it('is selected by TTBCR.EAE on a CPU that has it', () => {
    expect(armLpaeFormat.selectedBy({ TTBCR: EAE })).toBe(true);
    expect(armLpaeFormat.selectedBy({ TTBCR: EAE, ID_MMFR0: 3n })).toBe(false);
    expect(armLpaeFormat.selectedBy({ TTBCR: 0n })).toBe(false);
    expect(armLpaeFormat.selectedBy({})).toBe(false);
  });
});

/** Table bits `[63:59]` and page fields of a walk that found a page. */
function page(
  tables: readonly number[],
  fields: Readonly<Record<string, number>>,
  more: Registers = {},
): Walk {
  const walk = newWalk();
  const regime = armLpaeFormat.regime({ TTBCR: EAE, TTBR0, ...more });
  regime.begin(walk, 0);
  const [first = 0, second = 0] = tables;
  for (const bits of [first, second]) {
    const { lo, hi } = encodeDescriptor(tableLayout, { 'Next-level table address[39:12]': 5 });
    regime.descend(walk, lo, (hi | (bits << 27)) >>> 0);
  }
  const { lo, hi } = encodeDescriptor(pageLayout, { AF: 1, 'AP[2:1]': 1, ...fields });
  regime.descend(walk, lo, hi);
  return walk;
}
const PL0 = 'PL0 read, write, fetch; then PL1';
const EVERYONE: readonly Access[] = [false, true].flatMap((privileged) => [
  { write: false, fetch: false, privileged },
  { write: true, fetch: false, privileged },
  { write: false, fetch: true, privileged },
]);
const may = (walk: Walk, more: Registers = {}): string => {
  const regime = armLpaeFormat.regime({ TTBCR: EAE, TTBR0, ...more });
  return EVERYONE.map(
    (access) =>
      ('rwx'[Number(access.write) + 2 * Number(access.fetch)] as string) + regime.check(walk, access),
  )
    .map((each) => (each.endsWith('0') ? each[0] : '-'))
    .join('');
};

describe(`who may do what (B3.7, B3.6.3): ${PL0}`, () => {
  it.each([
    ['AP 00', [], { 'AP[2:1]': 0 }, '---rwx'],
    ['AP 01', [], { 'AP[2:1]': 1 }, 'rwxrwx'],
    ['AP 10', [], { 'AP[2:1]': 2 }, '---r-x'],
    ['AP 11', [], { 'AP[2:1]': 3 }, 'r-xr-x'],
    ['XN', [], { XN: 1 }, 'rw-rw-'],
    ['PXN', [], { PXN: 1 }, 'rwxrw-'],
    ['PXNTable at level 1', [1], {}, 'rwxrw-'],
    ['XNTable at level 2', [0, 2], {}, 'rw-rw-'],
    ['APTable[0]', [4], {}, '---rwx'],
    ['APTable[1]', [0, 8], {}, 'r-xr-x'],
    ['APTable[0], then APTable[1]', [4, 8], {}, '---r-x'],
  ] as const)('%s', (_name, tables, fields, expected) => {
    expect(may(page(tables, fields))).toBe(expected);
  });

  it.each([
    ['WXN: what may be written', 19n, 1, 'rw-rw-'],
    ['WXN leaves what is read-only', 19n, 3, 'r-xr-x'],
    ['UWXN: PL1 does not execute what PL0 may write', 20n, 1, 'rwxrw-'],
    ['UWXN leaves what only PL1 may write', 20n, 0, '---rwx'],
  ] as const)('%s', (_name, bit, ap, expected) => {
    const more = { SCTLR: 1n << bit };
    expect(may(page([], { 'AP[2:1]': ap }, more), more)).toBe(expected);
  });
});

describe('faults, attributes, PAR', () => {
  const regime = armLpaeFormat.regime({ TTBCR: EAE, TTBR0, MAIR0: 0xeeaa_4400n, MAIR1: 0xff00_0004n });

  it('access flag before permission; STATUS has the level', () => {
    const walk = page([], { AF: 0, 'AP[2:1]': 2, XN: 1 });
    expect(regime.check(walk, { write: true, fetch: false, privileged: false })).toBe(accessFlag);
    const status = [translation, accessFlag, permission].map((kind) =>
      [1, 2, 3].map((level) => regime.status(kind, level)),
    );
    expect(status).toEqual([
      [0b000101, 0b000110, 0b000111],
      [0b001001, 0b001010, 0b001011],
      [0b001101, 0b001110, 0b001111],
    ]);
  });

  it('type 0b01 is a block at levels 1 and 2, reserved at level 3; bit 0 clear is invalid at any', () => {
    const walk = newWalk();
    const at = (level: number, lo: number): Walk => {
      regime.begin(walk, 0x1234_5678);
      walk.level = level;
      regime.descend(walk, lo, 0xff);
      return walk;
    };
    expect(at(1, 0x7fff_f401)).toMatchObject({ stage: WalkStage.leaf, shift: 30, base: 0xff_4000_0000 });
    expect(at(2, 0x7fff_f401)).toMatchObject({ stage: WalkStage.leaf, shift: 21, base: 0xff_7fe0_0000 });
    expect(at(3, 0x7fff_f403)).toMatchObject({ stage: WalkStage.leaf, shift: 12, base: 0xff_7fff_f000 });
    expect(at(3, 0x7fff_f401)).toMatchObject({ stage: WalkStage.fault, fault: translation, level: 3 });
    for (const level of [1, 2, 3])
      expect(at(level, 0xffff_fffe)).toMatchObject({ stage: WalkStage.fault, fault: translation, level });
  });

  it.each([
    [0, 3, { type: 'strongly-ordered' }],
    [1, 0, { type: 'normal', inner: 'NC', outer: 'NC', shareable: false, outerShareable: false }],
    [2, 2, { type: 'normal', inner: 'WT', outer: 'WT', shareable: true, outerShareable: true }],
    [3, 3, { type: 'normal', inner: 'WB', outer: 'WB', shareable: true, outerShareable: false }],
    [4, 0, { type: 'device' }],
    [7, 3, { type: 'normal', inner: 'WBWA', outer: 'WBWA', shareable: true, outerShareable: false }],
  ])("Linux's MAIR, index %i with SH %i (spec/page-tables.md, 5.2)", (index, sh, attributes) => {
    expect(regime.attributes(page([], { 'AttrIndx[2:0]': index, 'SH[1:0]': sh }))).toEqual(attributes);
  });

  it('what Secure state reads through Non-secure tables is Non-secure, and not global', () => {
    const secure = armLpaeFormat.regime({ TTBCR: EAE, TTBR0, SCR: 0n });
    const nsOf = (walk: Walk): number => Number(((secure.par?.(walk, none) ?? 0n) >> 9n) & 1n);
    expect([page([], {}), page([], { NS: 1 }), page([16], {})].map(nsOf)).toEqual([0, 1, 1]);
    expect([page([], {}), page([], { nG: 1 }), page([0, 16], {})].map((walk) => secure.global(walk))).toEqual(
      [true, false, false],
    );
    expect(regime.global(page([0, 16], {}))).toBe(true);
  });

  it('PAR: of a block of 1 GiB above 4 GiB, and of a fault', () => {
    const walk = newWalk();
    regime.begin(walk, 0x1234_5678);
    const { lo, hi } = encodeDescriptor(block1Layout, {
      'Output address[39:30]': 0x3ff,
      AF: 1,
      'SH[1:0]': 3,
      'AttrIndx[2:0]': 7,
    });
    regime.descend(walk, lo, hi);
    expect(regime.par?.(walk, none)).toBe(0xff00_00ff_d234_5b80n);
    expect(regime.par?.(walk, permission)).toBe(0x800n | (0b001101n << 1n) | 1n);
  });
});
