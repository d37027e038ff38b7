import type { SlotName } from '@tablewalk/contracts';

/**
 * The plugin of a slot that a machine file leaves out, where no other plugin of the machine names one (`companions`
 * of its manifest).
 */
export const DEFAULT_PLUGINS: Readonly<Record<Exclude<SlotName, 'checker'>, string>> = {
  frames: 'frames-free-list',
  'page-table': 'page-table-arm-short',
  // The companion of the page-table plugin.
  pgd: 'none',
  replacement: 'replacement-lru',
  tlb: 'tlb-set-associative',
  cache: 'cache-pipt',
  asid: 'asid-fixed',
  shootdown: 'shootdown-ipi-mm-cpumask',
  'mmu-gather': 'mmu-gather-batched',
  reclaim: 'reclaim-clock',
  mm: 'mm-demand-paging',
  'run-queue': 'run-queue-round-robin',
  // Filled only where a machine says so.
  kmap: 'none',
  dma: 'none',
  ioremap: 'none',
  scheduler: 'scheduler-timed',
  cost: 'cost-table',
};

/** In a machine file, in place of a plugin's name: the plugin that would be there if nothing were said. */
export const PRESET_PLUGIN = 'preset';
