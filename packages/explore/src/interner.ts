/**
 * Numbers for values: equal values get the same number, whoever made them. Values are plain and immutable
 * (immer freezes them), so a part that was seen before costs one look-up: a slice that shares structure with
 * an earlier one costs what is new in it.
 */
export class Interner {
  private readonly byObject = new WeakMap<object, number>();
  private readonly byContent = new Map<string, number>();

  number(value: unknown): number {
    if (typeof value !== 'object' || value === null) return this.byKey(`${typeof value} ${String(value)}`);
    const known = this.byObject.get(value);
    if (known !== undefined) return known;
    const number = this.byKey(Array.isArray(value) ? this.arrayKey(value) : this.objectKey(value));
    this.byObject.set(value, number);
    return number;
  }

  private arrayKey(items: readonly unknown[]): string {
    let key = '[';
    for (const item of items) key += `${this.number(item)},`;
    return key;
  }

  /** A property that is undefined is the same as one that is absent. */
  private objectKey(value: object): string {
    const entries = value as Readonly<Record<string, unknown>>;
    let key = '{';
    for (const name of Object.keys(entries).sort())
      if (entries[name] !== undefined) key += `${name}:${this.number(entries[name])},`;
    return key;
  }

  private byKey(key: string): number {
    let number = this.byContent.get(key);
    if (number === undefined) this.byContent.set(key, (number = this.byContent.size));
    return number;
  }
}
