import type { Fact, KernelFactOf, VocabularyFactOf } from '@tablewalk/contracts';

/**
 * Where each walk reads next, and which pages of tables are free. A page is learnt at the fact that names it, and
 * read at the next fact of the walk. An invalidation ends walks of its CPU without a fact of theirs (packages/
 * architecture, tlb-model.ts: what is complete is complete for walks under way, too), and a change of context that
 * of the access.
 */
export interface Walks {
  /** Pages of tables, by pfn: known by the entries that were made to point to them, and by the first levels. */
  tables: Record<number, true>;
  /** Those of them that are free now: the fact that freed each. */
  freed: Record<number, number>;
  /** By CPU: TTBR0, and the fact that freed that first level; -1 while it lives. */
  roots: Record<number, { ttbr: number; freed: number }>;
  /** By `walkNumber`. */
  walks: Record<number, WalkShadow>;
}
export interface WalkShadow {
  readonly va: number;
  readonly asid: number;
  /** Page of the next read, -1 when there will be none; the fact that freed it since it was learnt, or -1. */
  page: number;
  pageFreed: number;
  /** Of the last read, if its page had been freed: else -1. */
  readPage: number;
  readFreed: number;
}

export const WALKS_HEAR = [
  ...['PudPopulated', 'PmdPopulated', 'PgdAllocated', 'PgdFreed', 'PageAllocated', 'PageFreed'],
  ...['ContextSwitched', 'TlbInvalidated', 'WalkStarted', 'WalkDescended', 'WalkFound', 'WalkEnded'],
];
type WalkFact = VocabularyFactOf<'WalkStarted' | 'WalkDescended' | 'WalkFound' | 'WalkEnded'>;
export type WalksHeard =
  | WalkFact
  | VocabularyFactOf<'PudPopulated' | 'PmdPopulated' | 'PgdAllocated' | 'PgdFreed'>
  | VocabularyFactOf<'PageAllocated' | 'PageFreed' | 'TlbInvalidated'>
  | KernelFactOf<'ContextSwitched'>;

const PGD_BYTES_MAX = 16384;

export const walkNumber = ({ cpu, speculative }: Pick<WalkFact, 'cpu' | 'speculative'>): number =>
  cpu * 2 + Number(speculative);
export const isWalkFact = (fact: Fact): fact is WalkFact =>
  ['WalkStarted', 'WalkDescended', 'WalkFound', 'WalkEnded'].includes(fact.type);
/** Says the fact that a descriptor has been read? It may also be the end of a walk that found one before. */
export const isRead = (fact: WalkFact): boolean => fact.type !== 'WalkStarted';

const pageOf = (pa: number): number => Math.floor(pa / 4096);

export function evolveWalks(draft: Walks, fact: WalksHeard, seq: number): void {
  switch (fact.type) {
    case 'PudPopulated':
    case 'PmdPopulated':
      draft.tables[pageOf(fact.table)] = true;
      break;
    case 'PgdAllocated':
      draft.tables[pageOf(fact.pa)] = true;
      break;
    case 'PgdFreed':
      for (const root of Object.values(draft.roots)) if (root.ttbr === fact.pa) root.freed = seq;
      break;
    case 'PageAllocated':
      for (let i = 0; i < 2 ** fact.order; i++) {
        remove(draft.tables, fact.pfn + i);
        remove(draft.freed, fact.pfn + i);
      }
      break;
    case 'PageFreed':
      pagesFreed(draft, fact, seq);
      break;
    case 'ContextSwitched':
      draft.roots[fact.cpu] = { ttbr: fact.ttbr, freed: draft.freed[pageOf(fact.ttbr)] ?? -1 };
      remove(draft.walks, walkNumber({ cpu: fact.cpu, speculative: false }));
      break;
    case 'TlbInvalidated':
      for (const speculative of [false, true]) {
        const number = walkNumber({ cpu: fact.cpu, speculative });
        if (invalidated(draft.walks[number], fact)) remove(draft.walks, number);
      }
      break;
    default:
      evolveWalk(draft, fact);
  }
}

function pagesFreed(draft: Walks, { pfn, order }: VocabularyFactOf<'PageFreed'>, seq: number): void {
  for (let page = pfn; page < pfn + 2 ** order; page++) {
    // The pages of a block are of one table: that of its first.
    if (draft.tables[pfn] === true || draft.tables[page] === true) draft.freed[page] = seq;
    for (const walk of Object.values(draft.walks)) if (walk.page === page) walk.pageFreed = seq;
  }
}

function evolveWalk(draft: Walks, fact: WalkFact): void {
  const number = walkNumber(fact);
  if (fact.type === 'WalkStarted') {
    const { va, asid, pa, cpu } = fact;
    const root = draft.roots[cpu];
    const inRoot = root !== undefined && pa >= root.ttbr && pa < root.ttbr + PGD_BYTES_MAX;
    const page = pageOf(pa);
    const pageFreed = draft.freed[page] ?? (inRoot ? root.freed : -1);
    draft.walks[number] = { va, asid, page, pageFreed, readPage: -1, readFreed: -1 };
    return;
  }
  const walk = draft.walks[number];
  if (walk === undefined) return;
  const bad = walk.page >= 0 && walk.pageFreed >= 0;
  walk.readPage = bad ? walk.page : -1;
  walk.readFreed = bad ? walk.pageFreed : -1;
  walk.page = fact.type === 'WalkDescended' ? pageOf(fact.pa) : -1;
  walk.pageFreed = draft.freed[walk.page] ?? -1;
  if (fact.type === 'WalkEnded' && !bad) remove(draft.walks, number);
}

/** ARM ARM DDI 0406C B3.10.5, for a walk that has not found its leaf: whether it will be global is not known yet. */
function invalidated(walk: WalkShadow | undefined, order: VocabularyFactOf<'TlbInvalidated'>): boolean {
  if (walk === undefined || walk.page < 0) return false;
  const { scope, asid, startVpn, endVpn } = order;
  if (scope === 'all') return true;
  const vpn = Math.floor(walk.va / 4096);
  const inRange = vpn >= startVpn && vpn < endVpn;
  if (scope === 'va-all-asids') return inRange;
  return walk.asid === asid && (scope === 'asid' || inRange);
}

function remove(record: Record<number, unknown>, name: number): void {
  // A slice that is equal must look equal: no key stays behind.
  if (name in record) Reflect.deleteProperty(record, name);
}
