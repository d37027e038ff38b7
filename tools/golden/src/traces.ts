import type { AccessBatch } from '@tablewalk/contracts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TraceFile } from '../../../apps/cli/src/index.ts';
import { compareCacheEntry, compareCachegrind, inexact } from './caches.ts';
import type { Differences, Trace } from './caches.ts';
import type { Expected } from './expected.ts';
import { Tally } from './family.ts';
import type { Family } from './family.ts';
import { compareTlb } from './tlbs.ts';

/**
 * Memory-reference traces with what Dinero IV, DynamoRIO drcachesim, pycachesim, cachegrind and tlbref
 * counted on them. Each comparison is a run of a machine on the ordinary path.
 */
export const tracesFamily: Family = {
  name: 'traces',
  folders: (root) =>
    [root, ...readdirSync(root).map((name) => join(root, name))].filter((folder) =>
      expectedFiles(folder).some((file) => isOurs(file)),
    ),
  async compare(folder, progress) {
    const tally = new Tally('traces');
    for (const file of expectedFiles(folder)) await compareFile(folder, file, tally, progress);
    return tally.result();
  },
};

const expectedFiles = (folder: string): string[] => {
  const expected = join(folder, 'expected');
  if (!existsSync(expected)) return [];
  return readdirSync(expected)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(expected, name));
};

const isOurs = (file: string): boolean => {
  const { trace, caches, tlb } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Expected>;
  return trace !== undefined && Array.isArray(caches) && Array.isArray(tlb);
};

async function compareFile(
  folder: string,
  file: string,
  tally: Tally,
  progress: (text: string) => void,
): Promise<void> {
  const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected;
  const path = join(folder, expected.trace.file);
  const trace: Trace = { batches: await readAll(path, false), asLoads: await readAll(path, true) };
  tally.add(`${expected.trace.file} references`, referencesDiffer(expected.trace.refs, trace.batches));
  for (const entry of expected.caches) {
    const what = `${expected.trace.file} cache ${entry.geometry.id} ${entry.policy}`;
    const reason = inexact(entry);
    if (reason !== undefined) {
      tally.skip(reason);
      continue;
    }
    progress(what);
    for (const found of await compareCacheEntry(entry, trace)) tally.add(what, found);
  }
  for (const entry of expected.cachegrind) {
    const what = `${expected.trace.file} cachegrind ${entry.id}`;
    progress(what);
    tally.add(what, await compareCachegrind(entry, trace));
  }
  for (const entry of expected.tlb) {
    const what = `${expected.trace.file} tlb ${entry.spec} ${entry.l2} ${entry.options.join(' ')}`;
    progress(what);
    tally.add(what, await compareTlb(entry, trace));
  }
}

const referencesDiffer = (expected: number, batches: readonly AccessBatch[]): Differences => {
  const read = batches.reduce((sum, batch) => sum + batch.count, 0);
  return read === expected ? [] : [`expected ${expected} references, read ${read}`];
};

async function readAll(path: string, accessesAsLoads: boolean): Promise<AccessBatch[]> {
  const file = new TraceFile(path, { accessesAsLoads });
  const batches: AccessBatch[] = [];
  for (;;) {
    const batch = await file.next();
    if (batch === undefined) return batches;
    batches.push(batch);
  }
}
