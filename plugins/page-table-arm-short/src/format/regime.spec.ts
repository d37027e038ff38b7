import { FaultKind, newWalk, WalkStage } from '@tablewalk/contracts';
import type { Access, Registers, Walk } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { armShortFormat } from './index.ts';

const { none, translation, accessFlag, domain, permission } = FaultKind;
const TTBR0 = 0x8000_4000;
const TABLE = 0x8020_0000;
const AFE = 1n << 29n;
const WXN = 1n << 19n;
const UWXN = 1n << 20n;

const access = (kind: 'read' | 'write' | 'fetch', privileged: boolean): Access => ({
  write: kind === 'write',
  fetch: kind === 'fetch',
  privileged,
});
const READ1 = access('read', true);
const KINDS = ['read', 'write', 'fetch'] as const;

/** Walks for `va` through a first-level and a second-level descriptor. Raw words are the test's own encoding. */
function walked(registers: Registers, va: number, first: number, second = 0): Walk {
  const regime = armShortFormat.regime({ TTBR0: BigInt(TTBR0), ...registers });
  const walk = newWalk();
  regime.begin(walk, va);
  if (walk.stage === WalkStage.table) regime.descend(walk, first, 0);
  if (walk.stage === WalkStage.table) regime.descend(walk, second, 0);
  return walk;
}

function faultOf(
  registers: Registers,
  asked: Access,
  first: number,
  second = 0,
): [fault: number, level: number] {
  const walk = walked(registers, 0, first, second);
  if (walk.stage === WalkStage.fault) return [walk.fault, walk.level];
  return [armShortFormat.regime(registers).check(walk, asked), walk.level];
}

/** Who may what by a small page with AP[2:0] and more bits, `rwx` of PL1 and of PL0; domain 1. */
function mayOf(registers: Registers, ap: number, bits = 0, tableBits = 0): string {
  const page = (0x8012_3002 | ((ap >> 2) << 9) | ((ap & 3) << 4) | bits) >>> 0;
  const of = (privileged: boolean): string =>
    KINDS.map((kind) => {
      const [fault] = faultOf(registers, access(kind, privileged), TABLE | (1 << 5) | tableBits | 1, page);
      return fault === none ? { read: 'r', write: 'w', fetch: 'x' }[kind] : '-';
    }).join('');
  return `${of(true)} ${of(false)}`;
}

describe('begin: which table (B3.5.4)', () => {
  const begun = (registers: Registers, va: number, ttbr0?: number): Walk => {
    const walk = newWalk();
    armShortFormat.regime(registers).begin(walk, va, ttbr0);
    return walk;
  };

  it('TTBR0 alone with N 0, and its low bits are no address', () => {
    const registers = { TTBR0: 0x8000_7fffn, TTBR1: 0x9000_0000n };
    expect(begun(registers, 0x0010_0000)).toMatchObject({ stage: WalkStage.table, level: 1, pa: TTBR0 + 4 });
    expect(begun(registers, 0xffff_ffff).pa).toBe(TTBR0 + 4095 * 4);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])(
    'N %i: addresses below 2^(32-N) by a smaller TTBR0 table, others by TTBR1',
    (n) => {
      const registers = { TTBCR: BigInt(n), TTBR0: 0x8000_0080n | 0x3fn, TTBR1: 0x9000_407fn };
      const lowTable = n === 7 ? 0x8000_0080 : 0x8000_0000;
      const boundary = 2 ** (32 - n);
      expect(begun(registers, boundary - 1).pa).toBe(lowTable + (4096 / 2 ** n - 1) * 4);
      expect(begun(registers, boundary).pa).toBe(0x9000_4000 + (boundary / 2 ** 20) * 4);
      expect(begun(registers, 0xfff0_0000).pa).toBe(0x9000_4000 + 4095 * 4);
    },
  );

  it('PD0 and PD1 forbid walks by their table alone, and PD1 is nothing with N 0', () => {
    const at = (ttbcr: bigint, va: number): number => begun({ TTBCR: ttbcr }, va).stage;
    const [low, high] = [0x1000, 0xc000_0000];
    expect([at(0x11n, low), at(0x11n, high)]).toEqual([WalkStage.fault, WalkStage.table]);
    expect([at(0x21n, low), at(0x21n, high)]).toEqual([WalkStage.table, WalkStage.fault]);
    expect([at(0x20n, low), at(0x20n, high)]).toEqual([WalkStage.table, WalkStage.table]);
    expect(begun({ TTBCR: 0x10n }, low)).toMatchObject({ fault: translation, level: 1 });
  });

  it('a table that is given stands in the place of TTBR0, and not of TTBR1', () => {
    const registers = { TTBCR: 1n, TTBR0: 0x1000_0000n, TTBR1: 0x9000_0000n };
    expect(begun(registers, 0x1000, 0x8000_4000).pa).toBe(0x8000_4000);
    expect(begun(registers, 0x8000_0000, 0x8000_4000).pa).toBe(0x9000_2000);
  });
});

describe('descend: what a descriptor maps (B3.5.1)', () => {
  const found = (va: number, first: number, second = 0): object => {
    const { base, shift, stage, level } = walked({}, va, first, second);
    return { base, shift, stage, level };
  };
  const leaf = { stage: WalkStage.leaf };

  it('a section, a supersection with 40 bits of address, a large and a small page', () => {
    expect(found(0, 0x8012_0c02)).toEqual({ ...leaf, base: 0x8010_0000, shift: 20, level: 1 });
    // PA[39:36] in [8:5], PA[35:32] in [23:20].
    expect(found(0, 0x80c4_0d62)).toEqual({ ...leaf, base: 0xbc_8000_0000, shift: 24, level: 1 });
    expect(found(0, TABLE | 1, 0x8012_3031)).toEqual({ ...leaf, base: 0x8012_0000, shift: 16, level: 2 });
    expect(found(0, TABLE | 1, 0x8012_3033)).toEqual({ ...leaf, base: 0x8012_3000, shift: 12, level: 2 });
  });

  it('reads the second level by VA[19:12], in a table of 1 KiB', () => {
    const regime = armShortFormat.regime({});
    const walk = newWalk();
    regime.begin(walk, 0x7fff_f123);
    regime.descend(walk, (TABLE + 0xffc) | 0b11_1101, 0);
    expect(walk).toMatchObject({ stage: WalkStage.table, level: 2, pa: TABLE + 0xc00 + 255 * 4 });
  });

  it('type 0b11 of the first level is a section with PXN, or a translation fault where there is no PXN', () => {
    const section = 0x8010_0c03;
    expect(faultOf({}, READ1, section)).toEqual([none, 1]);
    expect(faultOf({}, access('fetch', true), section)).toEqual([permission, 1]);
    expect(faultOf({}, access('fetch', false), section)).toEqual([none, 1]);
    expect(faultOf({ ID_MMFR0: 0x0010_0104n }, access('fetch', true), section)).toEqual([permission, 1]);
    expect(faultOf({ ID_MMFR0: 0x0010_0103n }, access('fetch', false), section)).toEqual([translation, 1]);
  });

  it('is a translation fault of the level whose descriptor is invalid', () => {
    expect(faultOf({}, READ1, 0xffff_fffc)).toEqual([translation, 1]);
    expect(faultOf({}, READ1, TABLE | 1, 0xffff_fffc)).toEqual([translation, 2]);
  });
});

describe('check: permissions (B3.7.1, B3.7.2)', () => {
  it('AP[2:0] with AFE 0', () => {
    expect(Array.from({ length: 8 }, (_, ap) => mayOf({}, ap))).toEqual([
      '--- ---',
      'rwx ---',
      'rwx r-x',
      'rwx rwx',
      '--- ---', // Reserved, UNPREDICTABLE.
      'r-x ---',
      'r-x r-x',
      'r-x r-x',
    ]);
  });

  it('AP[2:1] with AFE 1, and AP[0] is the access flag', () => {
    const registers = { SCTLR: AFE };
    const accessed = [1, 3, 5, 7].map((ap) => mayOf(registers, ap));
    expect(accessed).toEqual(['rwx ---', 'rwx rwx', 'r-x ---', 'r-x r-x']);
    expect([0, 2, 4, 6].map((ap) => mayOf(registers, ap))).toEqual(Array(4).fill('--- ---'));
  });

  it('XN is for both, PXN of the page table for PL1, and no PXN on a CPU without it', () => {
    const pxn = 1 << 2;
    expect(mayOf({}, 3, 1)).toBe('rw- rw-');
    expect(mayOf({}, 3, 0, pxn)).toBe('rw- rwx');
    expect(mayOf({ ID_MMFR0: 3n }, 3, 0, pxn)).toBe('rwx rwx');
  });

  it('WXN: nobody executes what he may write. UWXN: PL1 does not execute what PL0 may write', () => {
    const rows = (sctlr: bigint): string[] => [1, 2, 3, 7].map((ap) => mayOf({ SCTLR: sctlr }, ap));
    expect(rows(WXN)).toEqual(['rw- ---', 'rw- r-x', 'rw- rw-', 'r-x r-x']);
    expect(rows(UWXN)).toEqual(['rwx ---', 'rwx r-x', 'rw- rwx', 'r-x r-x']);
  });

  it('XN of a section is bit 4, of a large page bit 15', () => {
    const fetch = access('fetch', false);
    expect(faultOf({}, fetch, 0x8010_0c12)).toEqual([permission, 1]);
    expect(faultOf({}, fetch, TABLE | 1, 0x8012_8031)).toEqual([permission, 2]);
    expect(faultOf({}, fetch, TABLE | 1, 0x8012_0031)).toEqual([none, 2]);
  });
});

describe('check: domains and the order of faults (B3.7.3, B3.12)', () => {
  /** Domain 1 of 16 as given, the rest client. */
  const withDomain1 = (field: bigint): Registers => ({ DACR: 0x5555_5551n | (field << 2n), SCTLR: AFE });
  const table = TABLE | (1 << 5) | 1;
  const noAccess = 0x8012_3000 | (0b00 << 4) | 0b10;
  const accessedReadOnly = 0x8012_3000 | (1 << 9) | (0b11 << 4) | 0b11;
  const write = access('write', false);

  it('no access is a domain fault, client asks the permissions, manager asks nothing, 0b10 is as no access', () => {
    const faults = [0n, 1n, 2n, 3n].map(
      (field) => faultOf(withDomain1(field), write, table, accessedReadOnly)[0],
    );
    expect(faults).toEqual([domain, permission, domain, none]);
    // A manager executes what is XN.
    expect(faultOf(withDomain1(3n), access('fetch', true), table, accessedReadOnly)).toEqual([none, 2]);
  });

  it('translation before access flag before domain before permission', () => {
    const dacr = withDomain1(0n);
    expect(faultOf(dacr, write, table, 0)).toEqual([translation, 2]);
    expect(faultOf(dacr, write, table, noAccess)).toEqual([accessFlag, 2]);
    expect(faultOf(dacr, write, table, accessedReadOnly)).toEqual([domain, 2]);
    expect(faultOf(withDomain1(1n), write, table, accessedReadOnly)).toEqual([permission, 2]);
    // The access flag is asked for in a manager domain also.
    expect(faultOf(withDomain1(3n), write, table, noAccess)).toEqual([accessFlag, 2]);
  });

  it('a section has its own domain, and faults of level 1; a supersection is in domain 0', () => {
    const section = 0x8010_0c22;
    expect(faultOf({ DACR: 0b00_01n }, write, section)).toEqual([domain, 1]);
    expect(faultOf({ DACR: 0b01_00n }, write, section)).toEqual([none, 1]);
    expect(faultOf({ DACR: 0b00_01n }, write, section | (1 << 18))).toEqual([none, 1]);
    expect(faultOf({ DACR: 0b01_00n }, write, section | (1 << 18))).toEqual([domain, 1]);
  });

  it('tells every fault of both levels by its status (B3.13.3)', () => {
    const { status } = armShortFormat.regime({});
    const rows = [translation, accessFlag, domain, permission].map((kind) => [
      status(kind, 1),
      status(kind, 2),
    ]);
    expect(rows).toEqual([
      [0b00101, 0b00111],
      [0b00011, 0b00110],
      [0b01001, 0b01011],
      [0b01101, 0b01111],
    ]);
  });
});

describe('nG, and PAR of an address translation', () => {
  const regimeOf = (registers: Registers): Required<ReturnType<typeof armShortFormat.regime>> =>
    armShortFormat.regime(registers) as Required<ReturnType<typeof armShortFormat.regime>>;

  it('nG is bit 17 of a section, bit 11 of a page', () => {
    const global = (first: number, second = 0): boolean => regimeOf({}).global(walked({}, 0, first, second));
    expect([global(0x8010_0c02), global(0x8012_0c02)]).toEqual([true, false]);
    expect([global(TABLE | 1, 0x8012_3032), global(TABLE | 1, 0x8012_3832)]).toEqual([true, false]);
  });

  it('a fault: F and FS', () => {
    const walk = walked({}, 0, TABLE | 1, 0);
    expect(regimeOf({}).par(walk, translation)).toBe(0b001111n);
  });

  it('a page: PA[31:12], NS, and attributes; NS of the descriptor counts in Secure state alone', () => {
    // TEX 001, C, B, S: write-back, write-allocate (inner 101, outer 01), shareable.
    const [secure, ns] = [{ SCR: 0n }, TABLE | 0b1001];
    const attributes = (0b101n << 4n) | (0b01n << 2n) | (1n << 7n);
    const page = 0x8012_3472 | 0b1100;
    const par = (registers: Registers, first: number): bigint =>
      regimeOf(registers).par(walked(registers, 0x0000_0abc, first, page), none);
    expect(par({}, TABLE | 1)).toBe(0x8012_3200n | attributes);
    expect(par(secure, TABLE | 1)).toBe(0x8012_3000n | attributes);
    expect(par(secure, ns)).toBe(0x8012_3200n | attributes);
  });

  it('a section gives the page of the address in it, a supersection PA[39:32] in [23:16] and SS', () => {
    const par = (va: number, first: number): bigint => regimeOf({}).par(walked({}, va, first), none);
    // Strongly-ordered: SH, inner 001.
    expect(par(0x0004_5678, 0x8010_0c02)).toBe(0x8014_5000n | 0x290n);
    expect(par(0x0012_3456, 0x80c4_0d62)).toBe(0x80bc_0000n | 0x292n);
  });
});

describe('selection and registers', () => {
  it('is selected by TTBCR.EAE 0, and where there is no EAE', () => {
    const selected = [{}, { TTBCR: 0x8000_0000n }, { TTBCR: 0x8000_0000n, ID_MMFR0: 3n }, { TTBCR: 7n }];
    expect(selected.map((registers) => armShortFormat.selectedBy(registers))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});
