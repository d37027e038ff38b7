import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { sampleMetaText, samplePages, samples } from './sample-dump.ts';

/** Writes machines/dumps anew: npx tsx packages/table-dump/src/write-samples.fixture.ts */
const folder = fileURLToPath(new URL('../../../machines/dumps', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, make] of Object.entries(samples)) {
  const sample = make();
  writeFileSync(join(folder, `${name}.ptpages.bin.gz`), gzipSync(samplePages(sample), { level: 9 }));
  writeFileSync(join(folder, `${name}.meta.json.gz`), gzipSync(sampleMetaText(sample), { level: 9 }));
}
