import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { linuxArmFamily } from './linux-arm.ts';

const dumps = fileURLToPath(new URL('../../../machines/dumps', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'linux-arm-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The verdict on a dump of machines/dumps with these rows beside it. */
async function verdict(
  name: string,
  rows: { gva2gpa?: string[]; ats?: string[] },
): Promise<[number, string[]]> {
  const folder = mkdtempSync(join(root, 'case-'));
  for (const kind of ['ptpages.bin.gz', 'meta.json.gz'])
    copyFileSync(join(dumps, `${name}.${kind}`), join(folder, `${name}.${kind}`));
  for (const [kind, lines] of Object.entries(rows))
    writeFileSync(join(folder, `${name}.${kind}.csv.gz`), gzipSync(`header\n${lines.join('\n')}\n`));
  expect(linuxArmFamily.folders(folder)).toEqual([folder]);
  const { checked, differences } = await linuxArmFamily.compare(folder, () => {});
  return [checked, differences.map(({ difference = '' }) => difference)];
}

/** Leaves by kind of both roots, and in the short format their kernel entries. */
const SHORT_ROOTS = 6;
const LPAE_ROOTS = 5;

describe('the family linux-arm', () => {
  it('takes what is right, and each answer of a row for one', async () => {
    const gva2gpa = ['0,40010000,usr,55,a004,40042004', '0,40010000,usr,55,c0000000,-'];
    const ats = ['0,40010000,55,9000,40041000,1f,40041000,1f', '0,40004000,55,d0000000,b,b,b,b'];
    expect(await verdict('short-tiny', { gva2gpa, ats })).toEqual([SHORT_ROOTS + 2 + 8, []]);
  });

  it('finds a wrong page, a wrong fault, and a walk out of the dump', async () => {
    const gva2gpa = ['0,40010000,svc,55,a004,40042000', '1,40010000,svc,55,f0800000,-'];
    const ats = ['0,40010000,55,9000,40041000,f,40041000,40041000'];
    expect(await verdict('short-tiny', { gva2gpa, ats })).toEqual([
      SHORT_ROOTS + 2 + 4,
      [
        'expected 40042000, got 40042004',
        'the walk leaves the dump',
        'expected fault status 0x7, got fault status 0xf',
        'expected page 0x40041, got fault status 0xf',
      ],
    ]);
  });

  it('takes the domain fault that QEMU has in place of a translation fault at level 2, and the manual’s', async () => {
    const ats = ['0,40010000,51,c000,17,17,f,f'];
    expect(await verdict('short-tiny', { ats })).toEqual([SHORT_ROOTS + 4, []]);
    // With a page there the domain fault is the manual's own.
    const wrong = await verdict('short-tiny', { ats: ['0,40010000,51,a000,f,17,17,17'] });
    expect(wrong[1]).toEqual(['expected fault status 0x7, got fault status 0xb']);
  });

  it('takes the address of gva2gpa where a long descriptor is not accessed, and not of ATS', async () => {
    const gva2gpa = ['0,40010040,svc,0,b123,40043123', '0,40010040,svc,0,b123,-'];
    const ats = ['0,40010040,0,b000,817,817,817,40043000'];
    expect(await verdict('lpae-tiny', { gva2gpa, ats })).toEqual([
      LPAE_ROOTS + 2 + 4,
      ['expected page 0x40043, got fault status 0xb'],
    ]);
  });
});
