import { PIECE_KIND_MASK } from '@tablewalk/contracts';
import type { TranslatedBatch } from '@tablewalk/contracts';
import { CacheKind } from './cache-counters.ts';
import { INVALID } from './cache-level.ts';
import { accessLines, accessWalk } from './cache-lines.ts';
import type { CachePort } from './cache-lines.ts';

/**
 * `runByLines` for the common case: a piece within one line that is the newest of its set costs one
 * comparison and, for a store, one mark; nothing is called. A test holds the two together.
 */
export function runFast(port: CachePort, batch: TranslatedBatch): void {
  const { cpu, instruction, data, counters } = port;
  const { count, kind: kinds, size: sizes, paLo, paHi } = batch;
  const { lineShift: iShift, setMask: iMask, newestKey: iNewest } = instruction;
  const { lineShift: dShift, setMask: dMask, newestKey: dNewest, newestSlot: dSlot, dirty } = data;
  const iBytes = 2 ** iShift;
  const dBytes = 2 ** dShift;
  const iTagLo = instruction.geometry.tag === 'va' ? batch.vaLo : paLo;
  const iTagHi = instruction.geometry.tag === 'va' ? batch.vaHi : paHi;
  const iPlace = instruction.geometry.index === 'va' ? batch.vaLo : paLo;
  const dTagLo = data.geometry.tag === 'va' ? batch.vaLo : paLo;
  const dTagHi = data.geometry.tag === 'va' ? batch.vaHi : paHi;
  const dPlace = data.geometry.index === 'va' ? batch.vaLo : paLo;
  const mark = data.rules.marksDirty ? 1 : 0;
  // The newest line may be written here only if no store has to go down.
  const storesHere = !data.rules.writeThrough;
  let fetches = 0;
  let reads = 0;
  let writes = 0;
  for (let i = 0; i < count; i++) {
    const kind = (kinds[i] as number) & PIECE_KIND_MASK;
    const size = sizes[i] as number;
    if (kind === 0) {
      const lo = iTagLo[i] as number;
      if ((lo & (iBytes - 1)) + size > iBytes) accessLines(instruction, cpu, CacheKind.fetch, batch, i);
      else {
        fetches += 1;
        const key = ((iTagHi[i] as number) << (32 - iShift)) | (lo >>> iShift);
        const set = ((iPlace[i] as number) >>> iShift) & iMask;
        if (iNewest[set] !== key || key === INVALID) {
          const line = ((paHi[i] as number) << (32 - iShift)) | ((paLo[i] as number) >>> iShift);
          instruction.lookup(cpu, CacheKind.fetch, set, key, line, false);
        }
      }
      continue;
    }
    const lo = dTagLo[i] as number;
    if (kind === 4) accessWalk(port, batch, i);
    else if ((lo & (dBytes - 1)) + size > dBytes) {
      if (kind !== 2) accessLines(data, cpu, CacheKind.read, batch, i);
      if (kind !== 1) accessLines(data, cpu, CacheKind.write, batch, i);
    } else {
      const key = ((dTagHi[i] as number) << (32 - dShift)) | (lo >>> dShift);
      const set = ((dPlace[i] as number) >>> dShift) & dMask;
      const newest = dNewest[set] === key && key !== INVALID;
      if (kind !== 2) {
        reads += 1;
        if (!newest) {
          const line = ((paHi[i] as number) << (32 - dShift)) | ((paLo[i] as number) >>> dShift);
          data.lookup(cpu, CacheKind.read, set, key, line, false);
        }
      }
      if (kind !== 1) {
        writes += 1;
        // After the read half of a modify its line is the newest.
        if (storesHere && (newest || kind === 3)) dirty[dSlot[set] as number] = mark;
        else {
          const line = ((paHi[i] as number) << (32 - dShift)) | ((paLo[i] as number) >>> dShift);
          data.lookup(cpu, CacheKind.write, set, key, line, size === dBytes);
        }
      }
    }
  }
  (counters[instruction.at.accesses + CacheKind.fetch] as number) += fetches;
  (counters[data.at.accesses + CacheKind.read] as number) += reads;
  (counters[data.at.accesses + CacheKind.write] as number) += writes;
}
