import { FaultKind } from '@tablewalk/contracts';
import type { Access, Regime, Walk } from '@tablewalk/contracts';

/** What a leaf lets through. */
export interface Rights {
  /** `rwx` as far as it is permitted, else `-`: `r-x`. */
  readonly pl1: string;
  readonly pl0: string;
  /** Set where no access at all gets as far as permissions: an access flag of 0, a domain without access. */
  readonly refused?: FaultKind;
}

export function rightsOf(regime: Regime, walk: Walk): Rights {
  const may = (privileged: boolean): string =>
    WAYS.map(([letter, way]) =>
      regime.check(walk, { ...way, privileged }) === FaultKind.none ? letter : '-',
    ).join('');
  const first = regime.check(walk, { write: false, fetch: false, privileged: true });
  const refused = first === FaultKind.accessFlag || first === FaultKind.domain;
  return { pl1: may(true), pl0: may(false), ...(refused ? { refused: first } : {}) };
}

const WAYS: readonly (readonly [letter: string, way: Omit<Access, 'privileged'>])[] = [
  ['r', { write: false, fetch: false }],
  ['w', { write: true, fetch: false }],
  ['x', { write: false, fetch: true }],
];
