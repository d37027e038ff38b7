import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chartSvg } from './index.ts';
import type { Chart } from './index.ts';

const CHART: Chart = {
  title: 'Misses of a TLB',
  subtitle: 'two processes',
  x: { kind: 'log2', label: 'entries' },
  y: { label: 'misses per 1000 references' },
  legend: 'ways',
  series: [
    { name: '2', points: [16, 32, 64, 128].map((x) => ({ x, y: 160 / x })) },
    { name: '4', points: [16, 32, 64, 128].map((x) => ({ x, y: 100 / x })) },
  ],
};

/** What stands between tags, in order. */
const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, t]) => t ?? '');
const dots = (svg: string): number[][] =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

it('has title, labels with units, ticks at powers of two, and a legend', () => {
  const texts = textsOf(chartSvg(CHART));
  for (const wanted of ['Misses of a TLB', 'two processes', 'entries', 'misses per 1000 references', 'ways'])
    expect(texts).toContain(wanted);
  expect(texts.filter((each) => ['16', '32', '64', '128'].includes(each))).toEqual(['16', '32', '64', '128']);
  expect(texts.slice(-2)).toEqual(['2', '4']);
});

it('puts doublings at equal distances, 0 at the bottom, and the larger value higher', () => {
  const [a, b, c, d, other] = dots(chartSvg(CHART)) as [number[], number[], number[], number[], number[]];
  const step = (b[0] as number) - (a[0] as number);
  expect((c[0] as number) - (b[0] as number)).toBeCloseTo(step, 1);
  expect((d[0] as number) - (c[0] as number)).toBeCloseTo(step, 1);
  expect(a[1]).toBeLessThan(b[1] as number);
  expect(a[1]).toBeLessThan(other[1] as number);
  // 10 at x = 16 is the top of an axis from 0 to 10; 1.25 is an eighth of it.
  const height = 460 - 62 - 64;
  expect(a[1]).toBeCloseTo(64, 1);
  expect(d[1]).toBeCloseTo(64 + (7 / 8) * height, 1);
});

it('thins out ticks that would be too many, and has categories', () => {
  const wide: Chart = { ...CHART, series: [{ name: '', points: [1, 2 ** 30].map((x) => ({ x, y: 1 })) }] };
  const ticks = textsOf(chartSvg(wide)).filter(
    (each) => /^[\d,]+$/.test(each) && Math.log2(number(each)) % 3 === 0,
  );
  expect(ticks.slice(0, 3)).toEqual(['1', '8', '64']);
  const categories = ['replacement-lru', 'replacement-fifo'];
  const named: Chart = { ...CHART, x: { kind: 'categories', label: 'policy', categories } };
  expect(textsOf(chartSvg(named))).toEqual(expect.arrayContaining(categories));
});
const number = (text: string): number => Number(text.replaceAll(',', ''));

it('is well-formed and has no number that is none, whatever it is told', () => {
  const value = fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e9, noNaN: true }));
  const point = fc.record({ x: fc.double({ min: 1e-3, max: 1e9, noNaN: true }), y: value });
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('linear' as const, 'log2' as const),
      fc.array(fc.record({ name: fc.string(), points: fc.array(point, { minLength: 1 }) }), { minLength: 1 }),
      (title, kind, series) => {
        const svg = chartSvg({ title, x: { kind, label: title }, y: { label: title }, series });
        expect(svg.replaceAll(/>[^<]*</g, '><')).not.toMatch(/NaN|Infinity|undefined/);
        const open: string[] = [];
        for (const [, end, name, own] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g))
          if (end === '/') expect(open.pop()).toBe(name);
          else if (own !== '/') open.push(name as string);
        expect(open).toEqual([]);
        expect(svg.replaceAll(/<\/?[a-z]+[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/);
      },
    ),
    { numRuns: 200 },
  );
});
