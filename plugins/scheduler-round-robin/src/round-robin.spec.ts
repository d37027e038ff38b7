import type { Alternative } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { roundRobinScheduler } from './round-robin.ts';

const scheduler = roundRobinScheduler(64);
const at = (cpu: number, kind: Alternative['kind'] = 'step'): Alternative => ({ kind, cpu, time: 0 });
const after = (lastCpu: number, enabled: Alternative[]): Alternative | undefined =>
  enabled[scheduler.choose(enabled, { lastCpu, below: () => 0 }) ?? -1];

describe('scheduler-round-robin', () => {
  it('the CPU after the last one, and after the highest the lowest', () => {
    const all = [at(0), at(1), at(2)];
    expect([-1, 0, 1, 2].map((last) => after(last, all)?.cpu)).toEqual([0, 1, 2, 0]);
  });

  it('passes over CPUs that cannot do anything', () => {
    expect(after(0, [at(0), at(3)])?.cpu).toBe(3);
    expect(after(3, [at(1), at(3)])?.cpu).toBe(1);
  });

  it('a CPU takes its interrupt before its step', () => {
    expect(after(0, [at(0), at(1, 'ipi'), at(1)])?.kind).toBe('ipi');
  });

  it('a turn in user mode has the references that the knob says', () => {
    expect(scheduler.budget(at(0, 'user'), [at(0, 'user')], { lastCpu: 0, below: () => 0 })).toBe(64);
  });
});
