import type { RecordedFact } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';

const KEPT = 16384;

/** The last facts of a run, so that a violation can show what caused it. */
export class RecentFacts {
  private readonly ring: (RecordedFact | undefined)[] = [];

  constructor(machine: Machine) {
    machine.facts$.subscribe((recorded) => {
      this.ring[recorded.seq % KEPT] = recorded;
    });
  }

  get(seq: number): RecordedFact | undefined {
    const recorded = this.ring[seq % KEPT];
    return recorded?.seq === seq ? recorded : undefined;
  }
}
