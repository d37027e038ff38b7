import type { VocabularyFactOf } from '@tablewalk/contracts';

/** What a walker does between a miss and a fill. `speculative`: nobody asked for the translation. */
export const WALK_FACTS = ['WalkStarted', 'WalkDescended', 'WalkFound', 'WalkEnded'] as const;
export type WalkFact = VocabularyFactOf<(typeof WALK_FACTS)[number]>;
