import { isDeepStrictEqual } from 'node:util';

/** Freezes a value and all that it holds; whoever writes it then crashes. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

export const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Where a value is no plain data, as a path: what JSON would lose or change. Undefined when it is plain. */
export function notPlain(value: unknown, path = ''): string | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return undefined;
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? undefined : `${path}: ${value}`;
  if (typeof value !== 'object') return `${path}: ${typeof value}`;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    return `${path}: ${value.constructor?.name ?? 'an object with a prototype'}`;
  for (const [key, inner] of Object.entries(value)) {
    const problem = notPlain(inner, `${path}/${key}`);
    if (problem !== undefined) return problem;
  }
  if (Array.isArray(value) && Object.keys(value).length !== value.length)
    return `${path}: an array with holes`;
  return undefined;
}

/** Equal as plain data; cheap where it holds, so that it can be asked after every fact. */
export const samePlain = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);
