import { unreachable } from '@tablewalk/base';
import { freeze } from 'immer';
import { ENDED } from '../program-graph.ts';
import type { Origin } from '../program-graph.ts';
import type { CpuCell } from '../scratch.ts';
import type { StateSpace } from '../state-space.ts';

/** What some numbers of the sender mean, for a receiver that has its own. Plain data. */
export interface Meanings {
  /** Places, each after the one before it. */
  readonly places: readonly (readonly [place: number, origin: Origin])[];
  /** Values of slices and CPUs; handlers of a CPU are the sender's places. */
  readonly values: readonly (readonly [cell: number, number: number, value: unknown])[];
}

/** Of what one shard may say to another: what it has told, and what it was told. */
export class Correspondence {
  private places: [number, Origin][] = [];
  private values: [number, number, unknown][] = [];
  /** By cell, and by number: was it told? Places, whose numbers are of no cell, come last. */
  private readonly told: Uint8Array[];
  /** By cell, and by the other's number: our number; -1: it was not told. */
  private readonly ours: Int32Array[];
  private readonly placesAt: number;

  constructor(private readonly space: StateSpace) {
    const { tasks } = space.layout;
    this.placesAt = tasks;
    this.told = Array.from({ length: tasks + 1 }, () => new Uint8Array(16));
    this.ours = Array.from({ length: tasks + 1 }, () => new Int32Array(16).fill(-1));
    (this.told[tasks] as Uint8Array)[ENDED] = 1;
    (this.ours[tasks] as Int32Array)[ENDED] = ENDED;
  }

  /** Notes what the number of a cell means, if the other does not know. */
  note(cell: number, number: number): void {
    const { told, placesAt } = this;
    if (cell < placesAt) {
      if ((told[cell] as Uint8Array)[number] !== 1) this.tellValue(cell, number);
    } else if ((told[placesAt] as Uint8Array)[number] !== 1) this.tellPlace(number);
  }

  /** What was noted since it was last asked. */
  takeMeanings(): Meanings {
    const { places, values } = this;
    this.places = [];
    this.values = [];
    return { places, values };
  }

  /** Learns what the other's numbers mean. */
  hear({ places, values }: Meanings): void {
    const { graph, layout } = this.space;
    for (const [place, origin] of places)
      this.learn(
        this.placesAt,
        place,
        'before' in origin
          ? graph.next(this.ourPlace(origin.before), origin.reply)
          : graph.root(origin.program, origin.context),
      );
    for (const [cell, number, value] of values) {
      const own = cell < layout.cpus ? freeze(value, true) : this.ourCpu(value as CpuCell);
      this.learn(cell, number, layout.cells.number(cell, own));
    }
  }

  /** Our number for what the other has in a cell. */
  own(cell: number, number: number): number {
    const { ours, placesAt } = this;
    const own = (ours[cell < placesAt ? cell : placesAt] as Int32Array)[number] ?? -1;
    return own >= 0 ? own : unreachable('a shard was sent a number that it was not told the meaning of');
  }

  private tellValue(cell: number, number: number): void {
    const { layout } = this.space;
    const value = layout.cells.value(cell, number);
    if (cell >= layout.cpus) for (const handler of (value as CpuCell).handlers) this.tellPlace(handler);
    this.markTold(cell, number);
    this.values.push([cell, number, value]);
  }

  /** Tells of a place, and of those on the way to it. */
  private tellPlace(place: number): void {
    const way: [number, Origin][] = [];
    for (let at = place; this.told[this.placesAt]?.[at] !== 1;) {
      const origin = this.space.graph.origin(at);
      this.markTold(this.placesAt, at);
      way.push([at, origin]);
      if (!('before' in origin)) break;
      at = origin.before;
    }
    this.places.push(...way.reverse());
  }

  private markTold(cell: number, number: number): void {
    const told = this.told[cell] as Uint8Array;
    if (number < told.length) {
      told[number] = 1;
      return;
    }
    const longer = new Uint8Array(2 * (number + 1));
    longer.set(told);
    longer[number] = 1;
    this.told[cell] = longer;
  }

  private learn(cell: number, number: number, own: number): void {
    const ours = this.ours[cell] as Int32Array;
    if (number < ours.length) {
      ours[number] = own;
      return;
    }
    const longer = new Int32Array(2 * (number + 1)).fill(-1);
    longer.set(ours);
    longer[number] = own;
    this.ours[cell] = longer;
  }

  private ourPlace(place: number): number {
    return this.own(this.placesAt, place);
  }

  private ourCpu({ handlers, holder }: CpuCell): CpuCell {
    return { handlers: handlers.map((place) => this.ourPlace(place)), holder };
  }
}
