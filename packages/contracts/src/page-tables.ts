import type { View } from './component.ts';
import type { Walker, WordReader } from './data-plane.ts';
import type { Plugin } from './manifest.ts';
import type { WalkSteps } from './models.ts';
import type { ProgramContext, Routine } from './program.ts';

/** A present translation as software sees it: the Linux PTE. */
export interface PteView {
  readonly pfn: number;
  readonly young: boolean;
  readonly dirty: boolean;
  readonly write: boolean;
}

export interface PageTablePlugin extends Plugin {
  /** Bits of virtual address that the format translates. */
  readonly vaBits: number;
  /** First virtual byte address that is not user space (TASK_SIZE). */
  readonly taskSize: number;
  /** The walker over simulated memory. */
  walker(memory: WordReader): Walker;
  /** TTBR0 for an address space, once it has a first level. */
  ttbr(view: View, mm: number): number;
  /** The entry of a page, present or not: undefined when nothing is mapped there. */
  lookup(view: View, mm: number, va: number): PteView | undefined;
  /** Is a second-level table there for this address? */
  hasTable(view: View, mm: number, va: number): boolean;
  /** pmd_populate with a fresh table, unless one is there; false when there was no memory for it. */
  populate(context: ProgramContext, mm: number, va: number): Routine<boolean>;
  /** set_pte_at. The table must be there. */
  setPte(context: ProgramContext, mm: number, va: number, pte: PteView): Routine;
  /** ptep_get_and_clear: answers what was there. */
  clearPte(context: ProgramContext, mm: number, va: number): Routine<PteView | undefined>;
  /** ptep_test_and_clear_young, without a TLB flush. Answers whether it was young. */
  clearYoung(context: ProgramContext, mm: number, va: number): Routine<boolean>;
  /** Pages mapped in an address space, as virtual byte addresses in ascending order. */
  mappedPages(view: View, mm: number): readonly number[];
  /** The architectural facet of the walk. */
  readonly walkSteps?: WalkSteps;
  /** Kernel mappings in vmalloc space. Facet `vmalloc`. */
  readonly kernel?: KernelTables;
  /** First-level tables, entry by entry. Facet `pgd`. */
  readonly pgd?: PgdTables;
}

/**
 * First-level tables as Linux's routines change them: what policies of slot `pgd` are made of. An entry covers
 * PGDIR_SIZE bytes. In a format of two levels the pgd is folded away: there the pgd entry of an address is never
 * none and never copied, and its pmd entry is a pair of hardware words. Tables are named by the physical byte
 * address of their first level. What is changed is changed in steps of one hardware word (64 bits in LPAE).
 */
export interface PgdTables {
  /** PGDIR_SIZE and PMD_SIZE: bytes below one entry. PTRS_PER_PGD. */
  readonly pgdirSize: number;
  readonly pmdSize: number;
  readonly entries: number;
  /** MODULES_VADDR, and FIRST_USER_ADDRESS: virtual byte addresses. */
  readonly modulesStart: number;
  readonly firstUserAddress: number;
  /** True where the vectors page is at 0 and not at 0xffff0000. */
  readonly lowVectors: boolean;
  /** swapper_pg_dir with the direct mapping, where no process has made it yet. False: no memory. */
  boot(context: ProgramContext): Routine<boolean>;
  /** Physical byte address of swapper_pg_dir; 0 before `boot`. */
  swapper(view: View): number;

  /**
   * Memory for the first level of an mm: a memcpy of init_mm's entries for `[from, to)`, flags and all, and the
   * others none. The copy is one step with the fact that the mm has tables: `ttbr` answers them from here on.
   * `from` = `to`: nothing is copied. False: no memory, and nothing is kept.
   */
  allocate(context: ProgramContext, mm: number, from: number, to: number): Routine<boolean>;
  /** Gives it back, whatever its entries say. */
  free(context: ProgramContext, mm: number): Routine;
  /** The same memcpy later, as one step. */
  copyFromInit(context: ProgramContext, mm: number, from: number, to: number): Routine;

  pgdNone(view: View, pgd: number, va: number): boolean;
  /** Of the half that `va` is in, where an entry is a pair of words. True as well where the pgd entry is none. */
  pmdNone(view: View, pgd: number, va: number): boolean;
  /**
   * First addresses of the entries for `[from, to)` in which the tables at `pgd` have something, and not what init_mm
   * has: no fault will mend them. Of hardware words where entries are pairs.
   */
  divergent(view: View, pgd: number, from: number, to: number): readonly number[];
  /** set_pgd with init_mm's entry, into the tables at `pgd`, which are those of `mm`. */
  copyPgd(context: ProgramContext, mm: number, pgd: number, va: number): Routine;
  /** copy_pmd from init_mm's: both words of a pair, one after the other. */
  copyPmd(context: ProgramContext, mm: number, pgd: number, va: number): Routine;

  /** Is L_PGD_SWAPPER set in the entry? Always false where the format has no such bit. */
  isSwapperEntry(view: View, mm: number, va: number): boolean;
  /** pmd_alloc: a zeroed table behind the pgd entry, without L_PGD_SWAPPER, unless one is there. False: no memory. */
  populatePgd(context: ProgramContext, mm: number, va: number): Routine<boolean>;
  /**
   * pud_clear, pmd_clear: one step, for both words of a pair. Answers the pfn of the page of tables that the entry
   * pointed to; undefined, and nothing cleared, where it points to none.
   */
  clearPgd(context: ProgramContext, mm: number, va: number): Routine<number | undefined>;
  clearPmd(context: ProgramContext, mm: number, va: number): Routine<number | undefined>;
  /** First addresses of the entries in `[from, to)` that point to a table: pgd entries, and pmd entries. */
  pgdTables(view: View, mm: number, from: number, to: number): readonly number[];
  pmdTables(view: View, mm: number, from: number, to: number): readonly number[];
  /** One section of kernel memory in the tables of an mm: `pmdSize` bytes, or a MiB where entries are pairs. */
  setSection(context: ProgramContext, mm: number, va: number, pa: number): Routine;
  /** The page of pmds behind a pgd entry becomes a copy of itself as init_mm has it (HB-23): 512 words, one step. */
  copyPmdTable?(context: ProgramContext, mm: number, va: number): Routine;
  /** The vectors page in a table at address 0: init_vectors of pgd_alloc, where vectors are low. */
  mapLowVectors?(context: ProgramContext, mm: number): Routine<boolean>;
}

/**
 * Kernel mappings in vmalloc space, where every address space has first-level words of its own and all share
 * the second-level tables (spec/page-tables.md, 3; spec/ioremap.md, 1). What is set and cleared here is
 * init_mm's; the first levels of others follow by copies alone.
 */
export interface KernelTables {
  /** VMALLOC_START and VMALLOC_END: virtual byte addresses. */
  readonly vmallocStart: number;
  readonly vmallocEnd: number;
  /** PMD_SIZE: bytes below one first-level entry as Linux handles it. */
  readonly pmdSize: number;
  /** Makes init_mm's first level, where no process has done it yet. False when there was no memory for it. */
  boot(context: ProgramContext): Routine<boolean>;
  /** What init_mm has for an address in its first level. */
  entry(view: View, va: number): 'none' | 'table' | 'sections';
  /** Sections of device memory for `pmdSize` bytes from `pa` on: one step a hardware word. */
  setSections(context: ProgramContext, va: number, pa: number): Routine;
  /** pmd_clear: one step a hardware word. Answers the page of tables that was there, if one was. */
  clearPmd(context: ProgramContext, va: number): Routine<number | undefined>;
  /** pte_alloc_kernel: a fresh second-level table, unless one is there; false when there was no memory. */
  populate(context: ProgramContext, va: number): Routine<boolean>;
  /** A small page of device memory. The table must be there. */
  setPte(context: ProgramContext, va: number, pfn: number): Routine;
  clearPte(context: ProgramContext, va: number): Routine;
  /** memcpy of init_mm's words for vmalloc space to the first level of an mm, as one step. */
  copyVmalloc(context: ProgramContext, mm: number): Routine;
}

/** The life of an address space's first-level table (spec/page-tables.md, 3, 5.4 to 5.6). */
export interface PgdPlugin extends Plugin {
  /** pgd_alloc. False when there was no memory for it; then nothing is kept. */
  allocate(context: ProgramContext, mm: number): Routine<boolean>;
  /**
   * free_pgtables, between FIRST_USER_ADDRESS and the policy's ceiling: clears the entries, and answers the
   * pages of tables that were behind them (pfns). The caller frees them when no walker can be in them any more.
   */
  freePgtables(context: ProgramContext, mm: number): Routine<readonly number[]>;
  /** pgd_free: what `freePgtables` left, then the first level itself. No CPU may have it in TTBR0. */
  free(context: ProgramContext, mm: number): Routine;
  /**
   * do_translation_fault for a kernel address: copies what init_mm has and the tables in the CPU's TTBR0 lack. A fault
   * at the last level is not for it: the tables of ptes are common to all, and what they lack nobody has.
   * True: try the access again; so it is too where another CPU has copied it meanwhile. False: init_mm has nothing
   * for the address, or the CPU has no tables in TTBR0: a bad area.
   */
  translationFault(context: ProgramContext, va: number): Routine<boolean>;
  /**
   * An identity mapping of `[start, end)` by sections in the tables of an mm (init_idmap). False: no memory. Facet
   * `identity-map`.
   */
  identityMap?(context: ProgramContext, mm: number, start: number, end: number): Routine<boolean>;
}
