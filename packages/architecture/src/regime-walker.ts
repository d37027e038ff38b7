import { FaultKind, newWalk, PageFlag, WalkStage } from '@tablewalk/contracts';
import type {
  Access,
  DescriptorMeaning,
  Regime,
  Walk,
  Walker,
  WalkResult,
  WalkSteps,
  WordReader,
} from '@tablewalk/contracts';

/**
 * The two ways in which a machine walks tables, made from what a format says of one descriptor: in one go over
 * the arena of the data plane, and a read at a time in the world that is explored. Nothing here knows a format.
 *
 * A leaf that nobody may use (access flag 0, a domain without access) is a fault of the walk, and nothing of it
 * is held. ARM ARM DDI 0406C B3.7 and B3.9: the access flag must be set in what a TLB holds.
 */
export function walkerOf(regime: Regime, wordBytes: 4 | 8, memory: WordReader): Walker {
  const walk = newWalk();
  const known: Verdict = { leaf: NaN, inherited: 0, level: 0, fault: FaultKind.none, flags: 0 };
  return {
    walk(ttbr, vaLo, vaHi, result) {
      result.readBytes = wordBytes;
      let reads = 0;
      regime.begin(walk, vaHi * 2 ** 32 + vaLo, ttbr);
      while (walk.stage === WalkStage.table) {
        const { pa } = walk;
        result.readPa[reads] = pa;
        reads += 1;
        regime.descend(walk, memory.read32(pa) >>> 0, wordBytes === 8 ? memory.read32(pa + 4) >>> 0 : 0);
      }
      result.reads = reads;
      result.level = walk.level;
      leave(regime, walk, known, result);
    },
    permissionStatus: (level) => regime.status(FaultKind.permission, level),
    get version() {
      return memory.version;
    },
  };
}

/** What was last said of a leaf: pages of one kind follow one another. */
interface Verdict {
  leaf: number;
  inherited: number;
  level: number;
  fault: FaultKind;
  flags: number;
}

function judge(regime: Regime, walk: Walk, known: Verdict): void {
  const { leaf, inherited, level } = walk;
  if (known.leaf === leaf && known.inherited === inherited && known.level === level) return;
  known.leaf = leaf;
  known.inherited = inherited;
  known.level = level;
  known.fault = faultOf(regime, walk);
  known.flags = known.fault === FaultKind.none ? flagsOf(regime, walk) : 0;
}

function leave(regime: Regime, walk: Walk, known: Verdict, result: WalkResult): void {
  let fault: FaultKind = walk.fault;
  if (walk.stage !== WalkStage.fault) {
    judge(regime, walk, known);
    fault = known.fault;
  }
  result.fault = fault;
  if (fault !== FaultKind.none) {
    result.status = regime.status(fault, walk.level);
    return;
  }
  result.status = 0;
  result.pfn = walk.base / 4096;
  result.pageShift = walk.shift;
  result.flags = known.flags;
}

/** The fault that a finished walk is, whoever asked; what only some accesses may do is in the flags. */
function faultOf(regime: Regime, walk: Walk): FaultKind {
  if (walk.stage === WalkStage.fault) return walk.fault;
  const fault = regime.check(walk, READ_PL1);
  return fault === FaultKind.permission ? FaultKind.none : fault;
}

const READ_PL1: Access = { write: false, fetch: false, privileged: true };
const WRITE_PL1: Access = { write: true, fetch: false, privileged: true };
const FETCH_PL1: Access = { write: false, fetch: true, privileged: true };
const READ_PL0: Access = { ...READ_PL1, privileged: false };
const WRITE_PL0: Access = { ...WRITE_PL1, privileged: false };
const FETCH_PL0: Access = { ...FETCH_PL1, privileged: false };

/** `PageFlag`s of a leaf: what PL0 may do where it may read, else what PL1 may. */
export function flagsOf(regime: Regime, walk: Walk): number {
  const user = may(regime, walk, READ_PL0);
  return (
    (user ? PageFlag.user : 0) |
    (may(regime, walk, user ? WRITE_PL0 : WRITE_PL1) ? PageFlag.write : 0) |
    (may(regime, walk, user ? FETCH_PL0 : FETCH_PL1) ? PageFlag.execute : 0) |
    (regime.global(walk) ? PageFlag.global : 0)
  );
}

const may = (regime: Regime, walk: Walk, access: Access): boolean =>
  regime.check(walk, access) === FaultKind.none;

export function walkStepsOf(regime: Regime, wordBytes: 4 | 8, levelOf: (shift: number) => number): WalkSteps {
  const walk = newWalk();
  return {
    wordBytes,
    begin(ttbr, va) {
      regime.begin(walk, va, ttbr);
      return meaningOf(regime, walk);
    },
    descend(place, va, lo, hi) {
      walk.va = va;
      walk.stage = WalkStage.table;
      walk.pa = place.pa;
      walk.level = place.level;
      walk.inherited = place.inherited;
      regime.descend(walk, lo >>> 0, hi >>> 0);
      return meaningOf(regime, walk);
    },
    permission(pageShift) {
      const level = levelOf(pageShift);
      return { status: regime.status(FaultKind.permission, level), level };
    },
  };
}

function meaningOf(regime: Regime, walk: Walk): DescriptorMeaning {
  const { stage, pa, level, inherited } = walk;
  if (stage === WalkStage.table) return { kind: 'table', pa, level, inherited };
  const fault = faultOf(regime, walk);
  if (fault !== FaultKind.none) return { kind: 'fault', fault, status: regime.status(fault, level), level };
  const { base, shift } = walk;
  return { kind: 'page', pfn: base / 4096, pageShift: shift, flags: flagsOf(regime, walk) };
}
