import { z } from 'zod';
import { TableDumpError } from './table-dump-error.ts';

/** The fields of `PFX-SNAP.meta.json` that are used, as they stand there. Others may be there and are passed over. */
const BIG = 'integer:';
const bigInteger = z
  .union([z.int().min(0), z.string().regex(new RegExp(`^${BIG}\\d+$`))], 'no natural number')
  .transform((value) => BigInt(typeof value === 'number' ? value : value.slice(BIG.length)));
const register32 = z.int().min(0).max(0xffff_ffff);
/** A physical address has at most 40 bits. */
const physical = z
  .int()
  .min(0)
  .max(2 ** 40 - 1);
const virtual = z.int().min(0).max(0xffff_ffff);

const cpu = z.object({
  MPIDR: register32.optional(),
  ID_MMFR0: register32,
  SCTLR: register32,
  TTBCR: register32,
  TTBR0: bigInteger,
  TTBR1: bigInteger,
  DACR: register32,
  PRRR_MAIR0: register32,
  NMRR_MAIR1: register32,
  CONTEXTIDR: register32.optional(),
  SCR: register32.optional(),
});

const task = z.object({
  pid: z.int().min(0),
  comm: z.string(),
  cpu: z.int().min(0).optional(),
  /** Absent: a kernel thread, which runs on the tables of whoever ran before it. */
  pgd_pa: physical.optional(),
  context_id: z.int().min(0).optional(),
  vmalloc_seq: z.int().min(0).optional(),
});

const root = z.object({
  pa: physical,
  users: z.array(
    z.object({
      what: z.string(),
      pid: z.int().optional(),
      comm: z.string().optional(),
      vmalloc_seq: z.int().min(0).optional(),
    }),
  ),
  leaf_counts: z.record(z.string(), z.int().min(0)).optional(),
  kernel_entry_differences: z
    .array(z.object({ index: z.int().min(0), va: virtual, here: register32, swapper: register32 }))
    .optional(),
});

const meta = z.object({
  kernel: z.string(),
  lpae: z.boolean(),
  snapshot: z.string(),
  cpu_model: z.string().optional(),
  phys_offset: physical,
  page_offset: virtual,
  cpus: z.array(cpu).min(1),
  init_mm_vmalloc_seq: z.int().min(0).optional(),
  symbols: z.record(z.string(), virtual),
  tasks: z.array(task),
  roots: z.array(root).min(1),
});

export type DumpMeta = z.infer<typeof meta>;
export type DumpTask = DumpMeta['tasks'][number];
export type DumpRoot = DumpMeta['roots'][number];

const TTBCR_EAE = 0x8000_0000;

/**
 * Reads `PFX-SNAP.meta.json`, unpacked. `at` is the file's name for messages.
 *
 * @throws TableDumpError TABLES_META_NOT_JSON; TABLES_META_INVALID with the path of the first field that is
 * missing or cannot be.
 */
export function readMeta(text: string, at: string): DumpMeta {
  const parsed = meta.safeParse(parseExactly(text, at));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(pathText(issue?.path ?? []), issue?.message ?? 'it cannot be', at);
  }
  const { lpae, cpus } = parsed.data;
  cpus.forEach(({ TTBCR }, index) => {
    if (TTBCR >= TTBCR_EAE !== lpae)
      throw invalid(`cpus[${index}].TTBCR`, `its EAE bit says the opposite of "lpae": ${lpae}`, at);
  });
  refuseRoots(parsed.data, at);
  return parsed.data;
}

/** A root that is no address of a table would make another TTBR0 than the one that is meant. */
function refuseRoots({ lpae, cpus, roots }: DumpMeta, at: string): void {
  const alignment = lpae ? 32 : 2 ** (14 - ((cpus[0]?.TTBCR ?? 0) & 0b111));
  const seen = new Set<number>();
  roots.forEach(({ pa }, index) => {
    if (pa % alignment !== 0) throw invalid(`roots[${index}].pa`, `it is no multiple of ${alignment}`, at);
    if (seen.has(pa)) throw invalid(`roots[${index}].pa`, 'another root has the same', at);
    seen.add(pa);
  });
}

/**
 * JSON whose integers may have 64 bits, as TTBR0 with an ASID: those that a double could not hold exactly become
 * strings `integer:N`. The text is parsed once as it stands first, so that every string in it is known to end.
 */
function parseExactly(text: string, at: string): unknown {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new TableDumpError('TABLES_META_NOT_JSON', {
      what: 'the description of the dump is no JSON',
      why: error instanceof Error ? error.message : String(error),
      fix: 'take the whole file, or make the dump again',
      at,
    });
  }
  return JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])\d{16,}(?![\d.eE])/g, (token) =>
      token.startsWith('"') ? token : `"${BIG}${token}"`,
    ),
  );
}

const invalid = (path: string, problem: string, at: string): TableDumpError =>
  new TableDumpError('TABLES_META_INVALID', {
    what: `${path === '' ? 'the description of the dump' : `"${path}"`} is missing or wrong: ${problem}`,
    why: 'registers, roots and tasks tell where walks begin; nothing is guessed in their place',
    fix: 'make the dump again; README.md of packages/table-dump lists the fields',
    at,
  });

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
