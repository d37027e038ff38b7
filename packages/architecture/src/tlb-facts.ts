import { defineFacts } from '@tablewalk/contracts';
import type { FactsIn } from '@tablewalk/contracts';

/** What a walker does between a miss and a fill. `speculative`: nobody asked for the translation. */
export const walkFacts = defineFacts({
  /** `inherited`: what upper levels hand down, in the format's own bits. */
  WalkStarted: { cpu: 'u', speculative: 'b', va: 'u', asid: 'u', level: 'u', pa: 'u', inherited: 'u' },
  /** A descriptor pointed to a table: the next read is there. */
  WalkDescended: { cpu: 'u', speculative: 'b', level: 'u', pa: 'u', inherited: 'u' },
  WalkFound: {
    cpu: 'u',
    speculative: 'b',
    global: 'b',
    vpn: 'u',
    pfn: 'u',
    pageShift: 'u',
    write: 'b',
  },
  /** By a fault, of which nothing is held, or because what was found is in the TLB now. */
  WalkEnded: { cpu: 'u', speculative: 'b' },
});
export type WalkFact = FactsIn<typeof walkFacts>;
