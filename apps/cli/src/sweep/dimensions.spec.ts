import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDimension, parseDimensions, splitValues } from './dimensions.ts';
import { pointsOf, pointText } from './points.ts';

const texts = (sets: readonly string[], zip = false): string[] => {
  const dimensions = parseDimensions(sets);
  return pointsOf(dimensions, zip).map((point) => pointText(point, dimensions));
};

describe('values', () => {
  it('split at top-level commas, and are read as YAML', () => {
    expect(splitValues('32, 64,"a,b",[1,2],{ x: [3,4], y: 5 }')).toEqual([
      ...['32', '64', '"a,b"', '[1,2]', '{ x: [3,4], y: 5 }'],
    ]);
    const { label, choices } = parseDimension('slots.tlb.first=preset,{ unified: { entries: 8, ways: 2 } }');
    expect(label).toBe('slots.tlb.first');
    expect(choices.map(({ overrides }) => overrides)).toEqual([
      [{ path: ['slots', 'tlb', 'first'], value: 'preset' }],
      [{ path: ['slots', 'tlb', 'first'], value: { unified: { entries: 8, ways: 2 } } }],
    ]);
  });

  it('come back as they were joined, whatever is nested in them', () => {
    const leaf = fc.stringMatching(/^[a-z0-9]{1,4}$/);
    const { value } = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        leaf.map((text) => `"${text},]"`),
        fc.array(tie('value'), { minLength: 1, maxLength: 3 }).map((all) => `[${all.join(',')}]`),
        tie('value').map((inner) => `{ x: ${inner} }`),
      ),
    }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
        expect(splitValues(values.join(','))).toEqual(values);
      }),
    );
  });

  it.each(['a=1,,2', 'a=', 'a=1,2,1'])('are refused: %s', (set) => {
    expect(() => parseDimension(set)).toThrow(expect.objectContaining({ code: 'SWEEP_SET_MALFORMED' }));
  });

  it('need a path, and one --set a path', () => {
    expect(() => parseDimension('64,128')).toThrow(expect.objectContaining({ code: 'SET_MALFORMED' }));
    expect(() => parseDimensions(['a=1', 'a=2'])).toThrow(
      expect.objectContaining({ code: 'SWEEP_SET_MALFORMED' }),
    );
  });
});

describe('points', () => {
  it('are every combination, the last dimension fastest; single values are in all and named in none', () => {
    expect(texts(['a=1,2', 'b=x', 'c=3,4,5'])).toEqual([
      ...['a=1 c=3', 'a=1 c=4', 'a=1 c=5', 'a=2 c=3', 'a=2 c=4', 'a=2 c=5'],
    ]);
    expect(texts([])).toEqual(['the only point']);
  });

  it('are pairs when zipped; one value serves all, and another count is refused', () => {
    expect(texts(['a=1,2', 'b=x', 'c=3,4'], true)).toEqual(['a=1 c=3', 'a=2 c=4']);
    expect(() => texts(['a=1,2', 'b=1,2,3'], true)).toThrow(
      expect.objectContaining({ code: 'SWEEP_ZIP_UNEVEN' }),
    );
  });

  it('are counted before they are made', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i).join(',');
    expect(() => texts([`a=${hundred}`, `b=${hundred}`, 'c=1,2'])).toThrow(
      expect.objectContaining({ code: 'SWEEP_TOO_LARGE' }),
    );
  });
});
