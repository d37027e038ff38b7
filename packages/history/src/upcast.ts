import { HistoryError } from '@tablewalk/base';
import type { Fact } from '@tablewalk/contracts';
import type { FactSchemaRecords } from './schemas.ts';

/**
 * Lifts a fact to the next version of its type. It may answer a fact of another type (a renaming).
 * It must not depend on anything but the fact.
 */
export type Upcaster = (fact: Fact) => Fact;
/** By fact type as it was recorded, then by the version that is lifted: `{ PageFreed: { 1: lift } }`. */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;

/**
 * What must be done to the facts of a history so that this program understands them: chains of
 * upcasters by recorded type; types that are not in the map are current. `current` are this program's
 * schemas; a recorded type that it does not know is left as it is, unless upcasters are there for it.
 */
export function planLifts(
  recorded: FactSchemaRecords,
  current: FactSchemaRecords,
  upcasters: Upcasters,
  at: string,
): ReadonlyMap<string, readonly Upcaster[]> {
  const plan = new Map<string, readonly Upcaster[]>();
  for (const [type, { version, fields }] of Object.entries(recorded)) {
    const known = Object.hasOwn(current, type) ? current[type] : undefined;
    const lifts = Object.hasOwn(upcasters, type) ? upcasters[type] : undefined;
    const chain: Upcaster[] = [];
    let reached = version;
    for (; known === undefined || reached < known.version; reached++) {
      const lift = lifts?.[reached];
      if (lift === undefined) break;
      chain.push(lift);
    }
    if (chain.length > 0) plan.set(type, chain);
    if (known === undefined) continue;
    if (reached !== known.version) throw notLiftable(type, version, known.version, reached, at);
    if (version === known.version && !sameFields(fields, known.fields))
      throw new HistoryError('HISTORY_SCHEMA', {
        what: `fact type ${type} version ${version} has other fields here than in the history`,
        why: `recorded are ${listed(fields)}; this program has ${listed(known.fields)}`,
        fix: 'give the new fields a new version of the type, and an upcaster from the old one',
        at,
      });
  }
  return plan;
}

const listed = (fields: object): string => JSON.stringify(fields);

/** The order of fields does not matter: they are read by name. */
const sameFields = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((field) => a[field] === b[field]);

function notLiftable(
  type: string,
  version: number,
  known: number,
  reached: number,
  at: string,
): HistoryError {
  const newer = version > known;
  return new HistoryError('HISTORY_VERSION', {
    what: `fact type ${type} was recorded in version ${version}; this program has version ${known}`,
    why: newer
      ? 'facts cannot be brought back to an older version'
      : `no upcaster lifts it from version ${reached}`,
    fix: newer ? 'read the history with the program that wrote it, or a later one' : 'add the upcaster',
    at,
  });
}

/** Lifts the facts that have a chain; in place. */
export function liftFacts(facts: Fact[], plan: ReadonlyMap<string, readonly Upcaster[]>): void {
  if (plan.size === 0) return;
  for (let i = 0; i < facts.length; i++) {
    const chain = plan.get((facts[i] as Fact).type);
    if (chain !== undefined) for (const lift of chain) facts[i] = lift(facts[i] as Fact);
  }
}
