import type { ModelStory, Story } from '@tablewalk/stories';
import { describe, expect, it } from 'vitest';
import { overridesFor } from './staging.ts';

const model: Pick<ModelStory, 'kind' | 'id' | 'knobs' | 'variants'> = {
  kind: 'model',
  id: 'toy',
  knobs: { cpus: 2, pages: 1 },
  variants: {},
};
const toy = model as Story;
const refusal = (work: () => unknown): string => {
  try {
    return JSON.stringify(work());
  } catch (error) {
    return (error as Error).message;
  }
};

describe('overrides', () => {
  it('of a model are its knobs', () => {
    expect(overridesFor(toy, [])).toEqual({});
    expect(overridesFor(toy, ['cpus=3', 'pages=0'])).toEqual({ cpus: 3, pages: 0 });
  });

  it('of a machine are keys of its file', () => {
    const machine = { ...model, kind: 'machine', machine: 'arm926-up' } as unknown as Story;
    expect(overridesFor(machine, ['slots.kmap=kmap-pkmap', 'cpus=2'])).toEqual({
      'slots.kmap': 'kmap-pkmap',
      cpus: 2,
    });
  });

  it('that a model does not have, or cannot take, are refused', () => {
    const set = (text: string): string => refusal(() => overridesFor(toy, [text]));
    expect(set('cpu=2')).toMatch(
      /^KNOB_UNKNOWN: .*\n {2}why: .*cpus \(default 2\).*\n {2}fix: did you mean "cpus"/,
    );
    expect(set('constructor=2')).toContain('KNOB_UNKNOWN');
    for (const value of ['-1', '1.5', 'many', '', '[1]', '1e99'])
      expect(set(`cpus=${value}`)).toContain('KNOB_INVALID');
    expect(set('cpus')).toContain('SET_MALFORMED');
  });
});
