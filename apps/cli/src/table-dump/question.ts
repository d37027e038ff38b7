import { ConfigError, hex, nearestName } from '@tablewalk/base';
import type { Access, Registers } from '@tablewalk/contracts';
import { ownRoot, registersOf } from '@tablewalk/table-dump';
import type { DumpRoot, TableDump } from '@tablewalk/table-dump';

/** Whose eyes addresses are looked at through: a CPU's registers, with its own first level or another. */
export interface Viewpoint {
  readonly cpu: number;
  readonly registers: Registers;
  /** Physical byte address of the first level in TTBR0. */
  readonly root: number;
  /** Who uses it, in words. */
  readonly users: string;
}

export const ACCESSES = ['read', 'write', 'fetch'] as const;
export type AccessName = (typeof ACCESSES)[number];

export const accessOf = (name: AccessName, user: boolean): Access => ({
  write: name === 'write',
  fetch: name === 'fetch',
  privileged: !user,
});

/** @throws ConfigError CPU_OUT_OF_RANGE, ROOT_UNKNOWN, ROOT_AMBIGUOUS */
export function viewpoint(dump: TableDump, cpu: number, root: string | undefined): Viewpoint {
  const last = dump.meta.cpus.length - 1;
  if (cpu > last)
    throw new ConfigError('CPU_OUT_OF_RANGE', {
      what: `the dump has no CPU ${cpu}`,
      why: `it has registers of CPU ${last === 0 ? '0 alone' : `0 to ${last}`}`,
      fix: `give --cpu ${last}, or less`,
      at: '--cpu',
    });
  const pa = root === undefined ? ownRoot(dump, cpu) : findRoot(dump, root);
  const users = dump.meta.roots.find((each) => each.pa === pa);
  return {
    cpu,
    registers: registersOf(dump, cpu, root === undefined ? {} : { root: pa }),
    root: pa,
    users: users === undefined ? 'of nobody that the dump names' : usersText(users),
  };
}

export const usersText = ({ users }: DumpRoot): string =>
  users
    .map(({ what, pid, comm }) => (pid === undefined ? what : `${what} ${pid} ${comm ?? ''}`.trimEnd()))
    .join(', ');

/** A physical address of a first level, `swapper_pg_dir` and its like, the name of a task, or its PID. */
function findRoot(dump: TableDump, text: string): number {
  const { roots, tasks } = dump.meta;
  const pa = /^0x[0-9a-f]+$/i.test(text) ? Number(text) : undefined;
  const byAddress = roots.find((root) => root.pa === pa);
  if (byAddress !== undefined) return byAddress.pa;
  const byUse = roots.find(({ users }) => users.some(({ what }) => what === text && what !== 'task'));
  if (byUse !== undefined) return byUse.pa;
  const named = tasks.filter(({ pid, comm }) => comm === text || String(pid) === text);
  const pgds = [...new Set(named.flatMap(({ pgd_pa: pgd }) => pgd ?? []))];
  const [first, second] = pgds;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined)
    throw new ConfigError('ROOT_AMBIGUOUS', {
      what: `${pgds.length} tasks with tables of their own are named "${text}"`,
      fix: `give the PID: ${named.flatMap(({ pid, pgd_pa: pgd }) => (pgd === undefined ? [] : [pid])).join(', ')}`,
      at: '--root',
    });
  refuseRoot(dump, text, named.length > 0);
}

function refuseRoot({ meta: { roots, tasks } }: TableDump, text: string, kernelThread: boolean): never {
  if (kernelThread)
    throw new ConfigError('ROOT_UNKNOWN', {
      what: `${text} has no tables of its own`,
      why: 'a kernel thread runs on the tables of whoever ran before it (lazy TLB)',
      fix: 'give --root swapper_pg_dir for what the kernel maps',
      at: '--root',
    });
  const names = roots.flatMap(({ pa, users }) => [hex(pa), ...users.map(({ what }) => what)]);
  const own = tasks.filter(({ pgd_pa: pgd }) => pgd !== undefined);
  const known = [...names, ...own.flatMap(({ comm, pid }) => [comm, String(pid)])].filter(
    (name) => name !== 'task',
  );
  const near = nearestName(text, known);
  throw new ConfigError('ROOT_UNKNOWN', {
    what: `the dump has no root "${text}"`,
    why: `roots are physical addresses (${roots.map(({ pa }) => hex(pa)).join(', ')}), their uses, tasks and PIDs`,
    fix:
      near === undefined
        ? 'see tablewalk translate --tables FILE, which lists them'
        : `did you mean "${near}"?`,
    at: '--root',
  });
}

/**
 * A virtual byte address: `0x...`, a decimal number, or a symbol of the dump.
 *
 * @throws ConfigError VA_UNKNOWN, VA_TOO_HIGH
 */
export function virtualAddress({ meta: { symbols } }: TableDump, text: string): number {
  if (Object.hasOwn(symbols, text)) return symbols[text] as number;
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) {
    const names = Object.keys(symbols);
    const near = /^[0-9a-f]{5,8}$/i.test(text) ? `0x${text}` : nearestName(text, names);
    throw new ConfigError('VA_UNKNOWN', {
      what: `"${text}" is no address, and no symbol of the dump`,
      why: `an address is 0x... or a decimal number; the symbols are: ${names.join(', ')}`,
      fix: near === undefined ? 'give an address, as in --va 0xc0008000' : `did you mean "${near}"?`,
      at: '--va',
    });
  }
  const va = Number(text);
  if (va < 2 ** 32) return va;
  throw new ConfigError('VA_TOO_HIGH', {
    what: `the address ${text} has more than 32 bits`,
    why: 'virtual addresses of ARMv7 end at 0xffffffff, in both formats',
    fix: 'give the last 8 hexadecimal digits, if those are meant',
    at: '--va',
  });
}
