import type { Alternative } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { timedScheduler } from './timed.ts';

const scheduler = timedScheduler({ fine: 16, coarse: 2048 });
const turn = { lastCpu: 0, below: (): number => 0 };
const step = (cpu: number, time: number): Alternative => ({ kind: 'step', cpu, time });
const user = (cpu: number, time: number): Alternative => ({ kind: 'user', cpu, time });
const ipi = (cpu: number, time: number): Alternative => ({ kind: 'ipi', cpu, time });

describe('scheduler-timed', () => {
  it('the CPU that is furthest behind goes first', () => {
    expect(scheduler.choose([step(0, 500), user(1, 300), step(2, 400)], turn)).toBe(1);
  });

  it('of equal times an interrupt goes before a step, a step before a process, a lower CPU before a higher', () => {
    expect(scheduler.choose([user(0, 300), step(1, 300), ipi(2, 300)], turn)).toBe(2);
    expect(scheduler.choose([user(0, 300), step(1, 300)], turn)).toBe(1);
    expect(scheduler.choose([user(0, 300), user(1, 300)], turn)).toBe(0);
  });

  it('an interrupt that has not arrived yet waits, though its CPU is behind', () => {
    expect(scheduler.choose([ipi(0, 900), step(0, 200), step(1, 300)], turn)).toBe(1);
  });

  it('a process runs until it would overtake the next CPU, and no shorter than the grain', () => {
    const budget = (chosen: Alternative, other: Alternative): number =>
      scheduler.budget(chosen, [chosen, other], turn);
    expect(budget(user(0, 100), step(1, 600))).toBe(500);
    expect(budget(user(0, 100), step(1, 105))).toBe(16);
    expect(budget(user(0, 100), user(1, 105))).toBe(2048);
    expect(budget(user(0, 100), user(1, 9100))).toBe(9000);
  });

  it('a process that is alone runs as long as it likes, but not past an interrupt on its way to its CPU', () => {
    const chosen = user(0, 100);
    expect(scheduler.budget(chosen, [chosen], turn)).toBe(Infinity);
    expect(scheduler.budget(chosen, [ipi(0, 800), chosen], turn)).toBe(700);
  });
});
