import { addressOf, decodePte, Hi, setPteExt, ZERO } from './linux-bits.ts';
import type { Generation } from './linux-bits.ts';
import { stored } from './orders.ts';
import type { LpaeFact, LpaeOrder } from './orders.ts';

type PteOrderType = 'SetPte' | 'ClearPte' | 'AgePte' | 'SetKernelPte' | 'ClearKernelPte';

/**
 * Stores of one pte: set_pte_at and pte_clear. Facts tell what was meant, by the word before set_pte_ext, and not
 * what truncated predicates make of it.
 */
export function pteFactsOf(
  order: Omit<LpaeOrder, 'type'> & { readonly type: PteOrderType },
  { generation }: Generation,
): readonly LpaeFact[] {
  const { type, mm, va, pa } = order;
  const told = { generation, truncatedPredicates: false };
  const pfn = addressOf(order) / 4096;
  const set = (): LpaeFact[] => stored(pa, setPteExt(order, told));
  switch (type) {
    case 'SetPte': {
      const pte = decodePte(order, told);
      return pte === undefined ? [] : [...set(), { type: 'PteSet', mm, va, ...pte }];
    }
    case 'ClearPte':
      return [...stored(pa, ZERO), { type: 'PteCleared', mm, va, pfn, dirty: (order.hi & Hi.dirty) !== 0 }];
    case 'AgePte':
      return [...set(), { type: 'PteYoungCleared', mm, va, pfn }];
    case 'SetKernelPte':
      return [...set(), { type: 'KernelPageMapped', va, pfn }];
    case 'ClearKernelPte':
      return [...stored(pa, ZERO), { type: 'KernelPageUnmapped', va, pfn }];
  }
}
