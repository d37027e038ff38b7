import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSchedule, encodeSchedule } from './schedule-text.ts';

const refusal = (text: string): string => {
  try {
    return `played: ${decodeSchedule(text).join(' ')}`;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a schedule as a word', () => {
  it('joins steps that take the same place', () => {
    expect(encodeSchedule([3, 0, 2, 2, 2, 2, 1])).toMatch(/^tw1:3\.0\.2x4\.1:[0-9a-f]{4}$/);
    expect(encodeSchedule([])).toMatch(/^tw1::[0-9a-f]{4}$/);
  });

  it('comes back as it was', () => {
    const number = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 200 }));
    fc.assert(
      fc.property(fc.array(number), (schedule) => {
        expect(decodeSchedule(encodeSchedule(schedule))).toEqual(schedule);
      }),
    );
  });

  it('is the same word for ever', () => {
    expect(encodeSchedule([0, 1, 1, 5])).toBe('tw1:0.1x2.5:2d31');
  });
});

describe('a word that is no schedule', () => {
  it('is refused when a letter is lost or changed', () => {
    const word = encodeSchedule([3, 0, 2, 2, 2, 2, 1]);
    for (let i = 0; i < word.length; i++) {
      const lost = word.slice(0, i) + word.slice(i + 1);
      const changed = `${word.slice(0, i)}${word[i] === '7' ? '8' : '7'}${word.slice(i + 1)}`;
      expect(refusal(lost)).toContain('SCHEDULE_MALFORMED');
      expect(refusal(changed)).toContain('SCHEDULE_MALFORMED');
    }
  });

  it('is refused with its reason', () => {
    expect(refusal('')).toContain('it does not look like tw1:');
    expect(refusal('3.0.1')).toContain('it does not look like tw1:');
    expect(refusal('tw2:3:0000')).toContain('its format is tw2, and this version reads tw1');
    expect(refusal('tw1:3..1:0000')).toContain('"" is no number');
    expect(refusal('tw1:01:0000')).toContain('"01" is no number');
    expect(refusal('tw1:3x0:0000')).toContain('"3x0" is no number');
    expect(refusal('tw1:0x999999999:0000')).toContain('more than 10,000,000 steps');
    expect(refusal(`tw1:${'1.'.repeat(100)}`)).toContain('..." is no schedule');
  });
});
