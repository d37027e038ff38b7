import { decodeFields } from '@tablewalk/architecture';
import { FaultKind, newWalk, WalkStage } from '@tablewalk/contracts';
import type { Access, Regime, TableFormat, Walk } from '@tablewalk/contracts';

/** A query of golden/arm-mmu. What is absent QEMU was not asked, or could not tell. Numbers are hexadecimal. */
export interface Query {
  readonly va: string;
  readonly access: 'read' | 'write' | 'fetch';
  readonly privileged: boolean;
  readonly op: 'at' | 'live' | 'debug';
  readonly pa?: string;
  readonly pa_low32?: string;
  readonly par?: string;
  readonly fault?: FaultName;
  readonly level?: number;
  readonly fsr?: string;
  readonly far?: string;
  /** Where QEMU deviates, and what the architecture asks for. */
  readonly dev?: string;
  readonly arch?: { readonly fault?: FaultName; readonly level?: number; readonly unpredictable?: boolean };
}

const FAULT_NAMES = ['none', 'translation', 'accessflag', 'domain', 'permission'] as const;
type FaultName = (typeof FAULT_NAMES)[number];

/** What our format says to a query. */
export interface Answer {
  readonly fault: FaultName;
  readonly level: number;
  readonly pa: number;
  readonly par: bigint | undefined;
  /** As `Regime.status`. */
  readonly status: number;
  /** Domain of the first-level descriptor; 0 where its type has none. */
  readonly domain: number;
}

/** Physical memory: 64-bit words as two; what is not in it is 0. */
export type Memory = ReadonlyMap<number, readonly [lo: number, hi: number]>;

export function answerTo(query: Query, format: TableFormat, regime: Regime, memory: Memory): Answer {
  const walk = newWalk();
  const { privileged, access } = query;
  const asked: Access = { write: access === 'write', fetch: access === 'fetch', privileged };
  let domain = 0;
  regime.begin(walk, Number(query.va));
  while (walk.stage === WalkStage.table) {
    const [lo, hi] = memory.get(walk.pa) ?? [0, 0];
    if (walk.level === 1) domain = domainOf(format, lo, hi);
    regime.descend(walk, lo, hi);
  }
  const fault = walk.stage === WalkStage.fault ? walk.fault : regime.check(walk, asked);
  return {
    fault: FAULT_NAMES[fault],
    level: walk.level,
    pa: physicalAddress(walk),
    par: regime.par?.(walk, fault),
    status: fault === FaultKind.none ? 0 : regime.status(fault, walk.level),
    domain,
  };
}

const physicalAddress = ({ base, shift, va }: Walk): number => base + (va % 2 ** shift);

const domainOf = (format: TableFormat, lo: number, hi: number): number =>
  decodeFields(format.layoutOf(1, lo, hi), lo, hi).find(({ name }) => name === 'Domain')?.value ?? 0;

/** Differences in words. Empty: the answer is QEMU's, or where QEMU deviates the architecture's. */
export function answerDiffers(query: Query, answer: Answer, wordBytes: 4 | 8): string[] {
  const { arch } = query;
  if (arch?.unpredictable === true) return [];
  if (arch !== undefined && arch.fault === answer.fault && arch.level === answer.level) return [];
  const { fault, level } = answer;
  if (fault !== (query.fault ?? 'none')) return [`expected ${told(query)}, got ${told({ ...answer })}`];
  if (fault === 'none') return successDiffers(query, answer, wordBytes);
  return [
    ...differs('level', query.level, level),
    ...parDiffers(query, answer, wordBytes === 4 ? 0x7fn : 0x87fn),
    ...(query.fsr === undefined ? [] : fsrDiffers(query, query.fsr, answer, wordBytes)),
    ...(query.far === undefined ? [] : differs('far', Number(query.far), Number(query.va))),
  ];
}

const told = ({ fault, level, pa, pa_low32 }: Partial<Query> | Record<string, unknown>): string =>
  fault === undefined || fault === 'none'
    ? `no fault, pa ${String(pa ?? pa_low32)}`
    : `${String(fault)} fault of level ${String(level)}`;

/** A success for which neither address is told does not occur. */
function successDiffers(query: Query, answer: Answer, wordBytes: 4 | 8): string[] {
  const { pa, pa_low32: low } = query;
  const address =
    low === undefined
      ? differs('pa', Number(pa), answer.pa)
      : differs('pa[31:0]', Number(low), answer.pa % 2 ** 32);
  return [
    ...address,
    ...parDiffers(query, answer, wordBytes === 8 ? LPAE_PAR : shortParMask(BigInt(query.par ?? 0))),
  ];
}

/** MAIR byte [63:56], PA [39:12], [11], NS [9], SH [8:7], F [0]. */
const LPAE_PAR = 0xff00_00ff_ffff_fb81n;
/** PA [31:12], NS [9], SS [1], F [0]; of a supersection PA [31:24]. */
const shortParMask = (par: bigint): bigint => ((par & 2n) === 0n ? 0xffff_f203n : 0xff00_0203n);

const parDiffers = ({ par }: Query, answer: Answer, mask: bigint): string[] => {
  if (par === undefined) return [];
  const got = answer.par === undefined ? 'none' : answer.par & mask;
  return differs('par', BigInt(par) & mask, got);
};

/**
 * Fault status registers. `at` tells the status alone, `live` the whole DFSR or IFSR, of which the short format's
 * domain counts for data aborts that are domain faults or second-level translation faults.
 */
function fsrDiffers({ op, access }: Query, fsr: string, answer: Answer, wordBytes: 4 | 8): string[] {
  const { status, fault, level, domain } = answer;
  const data = access !== 'fetch';
  const live = op === 'live';
  const wnr = live && access === 'write' ? 1 << 11 : 0;
  if (wordBytes === 8) return differs('fsr', Number(fsr), status | wnr | (live ? 1 << 9 : 0));
  const domainCounts = live && data && (fault === 'domain' || (fault === 'translation' && level === 2));
  const mask = 0x40f | (live && data ? 1 << 11 : 0) | (domainCounts ? 0xf0 : 0);
  const got = (status & 0xf) | ((status >>> 4) << 10) | wnr | (domain << 4);
  return differs('fsr', Number(fsr) & mask, got & mask);
}

export const differs = (name: string, expected: unknown, got: unknown): string[] =>
  expected === got ? [] : [`${name} expected ${text(expected)}, got ${text(got)}`];

const text = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
