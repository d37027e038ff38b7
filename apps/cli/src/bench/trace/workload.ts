import { accessBatch, copyAccesses } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { repositoryRoot } from '../../install.ts';
import { TraceFile } from '../../trace-file.ts';

/** A trace of 20,000,000 references, decoded. */
export interface MeasuredTrace {
  readonly name: string;
  /** The lackey text. */
  readonly path: string;
  readonly references: number;
  /** As captured. */
  readonly batches: readonly AccessBatch[];
  /** For a machine of 32-bit addresses. */
  readonly folded: readonly AccessBatch[];
}

const REFERENCES = 20_000_000;

/** Where tools/trace/capture.sh of the shared folder leaves what it captured. */
export const captureFolder = (): string => process.env['W'] ?? join(tmpdir(), 'tablewalk-traces');

/** The text of cc1-20M, a compiler at work, where it has been captured; else of the committed `ls`, repeated. */
export async function measuredText(): Promise<Pick<MeasuredTrace, 'name' | 'path'>> {
  const captured = join(captureFolder(), 'cc1-20M.lk');
  if (existsSync(captured)) return { name: 'cc1-20M', path: captured };
  return { name: 'machines/traces/ls.lk.gz, repeated', path: await repeatedText('ls.lk.gz') };
}

export async function measuredTrace(): Promise<MeasuredTrace> {
  const { name, path } = await measuredText();
  const batches = await decoded(path, false);
  const folded = batches.some(isWide) ? await decoded(path, true) : batches;
  const references = batches.reduce((sum, { count }) => sum + count, 0);
  return { name, path, references, batches, folded };
}

const isWide = ({ vaHi, count }: AccessBatch): boolean => vaHi.subarray(0, count).some((hi) => hi > 0);

async function decoded(path: string, rebase: boolean): Promise<AccessBatch[]> {
  const file = new TraceFile(path, { rebase, addressBits: rebase ? 32 : 48 });
  const batches: AccessBatch[] = [];
  for (let batch = await file.next(); batch !== undefined; batch = await file.next())
    batches.push(copy(batch));
  return batches;
}

/** The reader may use a batch again. */
function copy(batch: AccessBatch): AccessBatch {
  const own = accessBatch(batch.count);
  own.count = batch.count;
  copyAccesses(batch, 0, batch.count, own);
  return own;
}

/** A committed trace as one text of REFERENCES lines, in the folder for temporary files. */
async function repeatedText(name: string): Promise<string> {
  const folder = join(tmpdir(), 'tablewalk-traces');
  const path = join(folder, `${name.split('.')[0]}-20M.lk`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const text = gunzipSync(readFileSync(join(repositoryRoot, 'machines/traces', name)));
  const lines = text
    .toString('latin1')
    .split('\n')
    .filter((line) => /^(I {2}| [LSM] )/.test(line));
  const whole = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
  const out = createWriteStream(path);
  let left = REFERENCES;
  for (; left >= lines.length; left -= lines.length) if (!out.write(whole)) await once(out, 'drain');
  out.end(`${lines.slice(0, left).join('\n')}\n`);
  await once(out, 'finish');
  return path;
}
