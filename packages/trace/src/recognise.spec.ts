import { expect, it } from 'vitest';
import { MAGIC } from './binary-layout.ts';
import { recogniseTrace } from './recognise.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const record = new Uint8Array(64 * 3);
for (let i = 0; i < 3; i++) record.set([0, 0x10, 0x40, 0, 0, 0, 0, 0, 1], i * 64);

it.each([
  ['I  04000000,4\n', 'x.din', 'lackey'],
  ['\n\n L 04000000,4\n', 'x', 'lackey'],
  ['==12== Lackey\n', 'x', 'lackey'],
  ['2 8000\n0 20\n', 'x.lk', 'din'],
  ['\n  r 0x8000 4\r\n', 'x', 'din'],
  ['0 80 a comment\n', 'x', 'din'],
  ['', 'x.lk.gz', 'lackey'],
  ['nonsense', 'x.din.gz', 'din'],
  ['nonsense', 'x', 'lackey'],
] as const)('text that begins %j in %s is %s', (text, name, format) => {
  expect(recogniseTrace(bytes(text), name)).toBe(format);
});

it('tells binary traces and records of ChampSim', () => {
  expect(recogniseTrace(Uint8Array.of(...MAGIC, 1, 2, 3), 'x.lk')).toBe('binary');
  expect(recogniseTrace(MAGIC.subarray(0, 3), 'x.lk')).toBe('binary');
  expect(recogniseTrace(record, 'x')).toBe('champsim');
  const other = record.with(64 + 8, 2);
  expect(recogniseTrace(other, '600.perlbench_s-210B.champsimtrace.xz')).toBe('champsim');
  expect(() => recogniseTrace(other, 'x')).toThrow(/TRACE_FORMAT_UNKNOWN/);
  // zstd: no compression that is undone here.
  expect(() => recogniseTrace(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0), 'x.lk.zst')).toThrow(/gzip or xz/);
});
