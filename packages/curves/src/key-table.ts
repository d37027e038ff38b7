/** Empty; keys are natural numbers. */
const FREE = -1;
const CAPACITY_MIN = 16;

/** A map from natural numbers below 2^53 to 32-bit numbers above 0: open addressing on typed arrays. */
export class KeyTable {
  size = 0;
  private keys = new Float64Array(CAPACITY_MIN).fill(FREE);
  private values = new Int32Array(CAPACITY_MIN);

  /** Where a key is, or would be. Good until the next `put` of a new key. */
  slotOf(key: number): number {
    const { keys } = this;
    const mask = keys.length - 1;
    let hash = Math.imul((key | 0) ^ Math.imul((key / 2 ** 32) | 0, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (keys[slot] !== key && keys[slot] !== FREE) slot = (slot + 1) & mask;
    return slot;
  }

  /** 0: the key of this slot was never put. */
  at(slot: number): number {
    return this.values[slot] as number;
  }

  put(slot: number, key: number, value: number): void {
    this.values[slot] = value;
    if (this.keys[slot] === key) return;
    this.keys[slot] = key;
    this.size += 1;
    if (this.size * 2 > this.keys.length) this.grow();
  }

  /** Replaces every value by what `renumber` makes of it. */
  renumber(renumber: (value: number) => number): void {
    const { keys, values } = this;
    for (let slot = 0; slot < keys.length; slot++)
      if (keys[slot] !== FREE) values[slot] = renumber(values[slot] as number);
  }

  private grow(): void {
    const { keys, values } = this;
    this.keys = new Float64Array(keys.length * 2).fill(FREE);
    this.values = new Int32Array(keys.length * 2);
    for (let old = 0; old < keys.length; old++) {
      const key = keys[old] as number;
      if (key === FREE) continue;
      const slot = this.slotOf(key);
      this.keys[slot] = key;
      this.values[slot] = values[old] as number;
    }
  }
}
