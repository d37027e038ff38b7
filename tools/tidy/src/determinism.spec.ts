import { describe, expect, it } from 'vitest';
import { findNondeterminism } from './determinism.ts';

/** What is found, as `line:name`. */
const found = (text: string): string[] => findNondeterminism(text).map(({ line, name }) => `${line}:${name}`);

describe('the determinism check', () => {
  it.each([
    ['const t = Date.now();', '1:Date'],
    ['const t = new Date();', '1:Date'],
    ['let when: Date;', '1:Date'],
    ['performance.now();', '1:performance'],
    ['process.hrtime.bigint();', '1:process.hrtime'],
    ['process.nextTick(f);', '1:process.nextTick'],
    ['Math.random();', '1:Math.random'],
    ["Math['random']();", '1:Math.random'],
    ['const { random } = Math;', '1:Math.random'],
    ['const { random: draw } = Math;', '1:Math.random'],
    ['crypto.randomUUID();', '1:crypto.randomUUID'],
    ['setTimeout(f, 1);', '1:setTimeout'],
    ['setInterval(f, 1);', '1:setInterval'],
    ['setImmediate(f);', '1:setImmediate'],
    ['queueMicrotask(f);', '1:queueMicrotask'],
    ['globalThis.setTimeout(f, 1);', '1:setTimeout'],
    ['globalThis.Math.random();', '1:Math.random'],
    ['const later = { setTimeout };', '1:setTimeout'],
    ['new Promise(f);', '1:Promise'],
    ['function f(): Promise<number> { throw 1; }', '1:Promise'],
    ['const f = async () => 1;', '1:async'],
    ['class A { async m() {} }', '1:async'],
    ['await f();\nexport {};', '1:await'],
    ['for await (const x of y) f(x);\nexport {};', '1:for await'],
    ["const m = import('./x.ts');", '1:import()'],
    ["import { performance } from 'node:perf_hooks';", '1:node:perf_hooks'],
    ["import * as t from 'timers';", '1:timers'],
    ["import { randomBytes as r } from 'node:crypto';", '1:randomBytes from node:crypto'],
    ["import { filter, debounceTime } from 'rxjs';", '1:debounceTime from rxjs'],
    ["export { interval } from 'rxjs';", '1:interval from rxjs'],
  ])('finds %s', (text, expected) => {
    expect(found(text)).toEqual([expected]);
  });

  it.each([
    ['comments', '// Date, Math.random() and a Promise\n/** setTimeout */ export const x = 1;'],
    ['strings', "export const x = 'await new Promise(Date)'; const y = `Math.random`;"],
    [
      'members of our own',
      'export const f = (job: { Date: number; performance: number }) => job.Date + job.performance;',
    ],
    ['keys', "export const costs = { performance: 1, Promise: 'x' };"],
    ['parameters', 'export const f = (performance: number): number => performance + 1;'],
    ['imports of our own', "import { setTimeout } from './wheel.ts';\nsetTimeout(1);"],
    [
      'types of our own',
      'interface Promise { cpu: number }\nexport const f = (p: Promise): number => p.cpu;',
    ],
    ['the rest of Math', 'export const x = Math.max(1, 2); const { floor } = Math;'],
    ['members named like a member of Object', 'Math.toString(); process.constructor;'],
    ['operators without time', "import { filter, map } from 'rxjs';"],
    ['import.meta', 'export const here = import.meta.url;'],
  ])('does not mind %s', (_, text) => {
    expect(found(text)).toEqual([]);
  });

  it('sees a global beside a variable of the same name', () => {
    const text = 'export function f(performance: number) { return performance; }\nperformance.now();';
    expect(found(text)).toEqual(['2:performance']);
  });

  it('says where, why and what to do instead', () => {
    expect(findNondeterminism('const a = 1;\n  const b = Math.random();')).toEqual([
      {
        line: 2,
        column: 18,
        name: 'Math.random',
        why: 'draws numbers that no seed can repeat',
        instead: "draw from the run's seed: `env.below(n)`, or a PrngState from @tablewalk/base",
      },
    ]);
  });
});
