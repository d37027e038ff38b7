import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, closeSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { captureFolder } from './workload.ts';
import type { MeasuredTrace } from './workload.ts';

const REPETITIONS = '7';

/**
 * References a second of the C limit proxy on the same trace, loaded in its form of 8 bytes a reference; undefined
 * where its binary (tools/trace/build.sh of the shared folder) is not there.
 */
export function climit({ batches, references }: MeasuredTrace): number | undefined {
  const program = join(captureFolder(), 'bin', 'climit');
  if (!existsSync(program)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tablewalk-bench-'));
  try {
    const path = join(folder, 'trace.bin8');
    const file = openSync(path, 'w');
    for (const { count, kind, vaLo, vaHi, size } of batches) {
      const words = new Uint32Array(2 * count);
      for (let i = 0; i < count; i++) {
        words[2 * i] = vaLo[i] as number;
        words[2 * i + 1] = (vaHi[i] as number) | ((kind[i] as number) << 8) | ((size[i] as number) << 16);
      }
      writeSync(file, new Uint8Array(words.buffer));
    }
    closeSync(file);
    const { stdout } = spawnSync(program, ['bin8', path, REPETITIONS], { encoding: 'utf8' });
    return references / (JSON.parse(stdout) as { sim_s: number }).sim_s;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
