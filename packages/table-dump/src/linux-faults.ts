import { FaultKind } from '@tablewalk/contracts';
import type { Access, TableFormat } from '@tablewalk/contracts';

/**
 * What ARM Linux makes of a fault: fsr_info and ifsr_info of arch/arm/mm/fsr-2level.c and fsr-3level.c, and the
 * handlers of arch/arm/mm/fault.c, 6.1.
 */
export interface LinuxFault {
  /** Linux's name of the status, as in "Unhandled fault: page domain fault". */
  readonly name: string;
  readonly handler: 'do_translation_fault' | 'do_page_fault' | 'do_sect_fault' | 'do_bad';
  /** The rest of the story, in a sentence. */
  readonly then: string;
}

export interface LinuxFaultQuestion {
  readonly format: TableFormat;
  readonly fault: FaultKind;
  readonly level: number;
  readonly va: number;
  readonly access: Access;
  /** First virtual byte address that is not user space. */
  readonly taskSize: number;
  /** Has init_mm an entry for the address, at the level that the fault is of? Undefined: not known. */
  readonly initMmHasEntry: boolean | undefined;
  /** The entry as Linux has it: names of its bits; empty where it is none. */
  readonly entry: readonly string[];
}

export function linuxFault(question: LinuxFaultQuestion): LinuxFault {
  const { format, fault, level } = question;
  const [name, handler] =
    format.wordBytes === 8 ? longFault(fault, level) : shortFault(fault, level, question.access.fetch);
  return { name, handler, then: STORIES[handler](question) };
}

type Named = readonly [name: string, handler: LinuxFault['handler']];

function shortFault(fault: FaultKind, level: number, fetch: boolean): Named {
  const size = level === 1 ? 'section' : 'page';
  switch (fault) {
    case FaultKind.translation:
      return [`${size} translation fault`, level === 1 ? 'do_translation_fault' : 'do_page_fault'];
    case FaultKind.accessFlag:
      // exceptions_init gives both statuses of data aborts the one name.
      return [`${fetch ? size : 'section'} access flag fault`, 'do_bad'];
    case FaultKind.domain:
      return [`${size} domain fault`, 'do_bad'];
    default:
      return [`${size} permission fault`, level === 1 ? 'do_sect_fault' : 'do_page_fault'];
  }
}

function longFault(fault: FaultKind, level: number): Named {
  switch (fault) {
    case FaultKind.translation:
      return [`level ${level} translation fault`, level === 3 ? 'do_page_fault' : 'do_translation_fault'];
    case FaultKind.accessFlag:
      return [`level ${level} access flag fault`, level === 1 ? 'do_bad' : 'do_page_fault'];
    default:
      return [`level ${level} permission fault`, level === 1 ? 'do_bad' : 'do_page_fault'];
  }
}

const STORIES: Readonly<Record<LinuxFault['handler'], (question: LinuxFaultQuestion) => string>> = {
  do_translation_fault: (question) => {
    const { va, taskSize, access, initMmHasEntry } = question;
    if (va < taskSize)
      return `the address is below TASK_SIZE, so it goes on to do_page_fault, which ${pageFault(question)}`;
    if (!access.privileged) return 'a kernel address from user mode: bad area, SIGSEGV (SEGV_MAPERR)';
    if (initMmHasEntry === undefined)
      return "copies init_mm's entry to the table in TTBR0 if init_mm has one (lazy fault), else oops";
    return initMmHasEntry
      ? 'init_mm has the entry: copied to the table in TTBR0, and the access is tried again (lazy fault)'
      : `init_mm has no entry either: bad area, ${OOPS}`;
  },
  do_page_fault: pageFault,
  do_sect_fault: ({ access }) => `do_bad_area: ${access.privileged ? OOPS : 'SIGSEGV (SEGV_MAPERR)'}`,
  do_bad: ({ fault, access }) => {
    const end = access.privileged ? 'die("Oops")' : 'SIGSEGV';
    const pan = 'with CONFIG_CPU_SW_DOMAIN_PAN the kernel has no access to DOMAIN_USER outside of uaccess; ';
    return `${fault === FaultKind.domain && access.privileged ? pan : ''}"Unhandled fault", ${end}`;
  },
};

const OOPS = 'exception table or oops ("Unable to handle kernel paging request")';

function pageFault({ va, taskSize, access, fault, entry }: LinuxFaultQuestion): string {
  if (va >= taskSize)
    return access.privileged
      ? `finds no VMA above TASK_SIZE: ${OOPS}`
      : 'finds no VMA above TASK_SIZE: SIGSEGV';
  const without = `without a VMA that permits it: ${access.privileged ? 'exception table or oops' : 'SIGSEGV'}`;
  return `${userFault(fault, access, entry)}; ${without}`;
}

/** handle_pte_fault, as far as the entry tells. */
function userFault(fault: FaultKind, access: Access, entry: readonly string[]): string {
  const has = (bit: string): boolean => entry.some((name) => name.endsWith(bit));
  if (has('migration entry')) return 'brings the page back from where the entry says (do_swap_page)';
  if (has('_NONE')) return 'meets PROT_NONE (or a NUMA hint)';
  if (fault === FaultKind.accessFlag) return 'marks the page young (pte_mkyoung)';
  if (fault === FaultKind.translation)
    return has('_PRESENT') && !has('_YOUNG')
      ? 'marks the page young: the hardware entry is 0 while it is old (L_PTE_YOUNG clear)'
      : 'maps a page where a VMA has the address (handle_mm_fault)';
  if (access.write)
    return has('_RDONLY')
      ? 'copies the page where the VMA may be written (do_wp_page)'
      : 'marks the page dirty: the hardware entry is read-only until then (pte_mkdirty)';
  return 'checks the VMA (access_error)';
}
