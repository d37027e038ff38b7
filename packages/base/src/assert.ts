/** A broken invariant: a programmer's error, never the user's. It crashes in every mode. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

export function unreachable(message: string): never {
  throw new InvariantError(`unreachable: ${message}`);
}

/** Ends an exhaustive switch over a union. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected value: ${JSON.stringify(value)}`);
}

/** For indices that are in range by construction. */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`${what} is missing`);
  return value;
}
