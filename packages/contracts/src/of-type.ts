import { filter } from 'rxjs';
import type { OperatorFunction } from 'rxjs';
import type { Fact, RecordedFact } from './facts.ts';

/** A recorded fact whose fact has a known type. */
export type Recorded<F extends Fact> = RecordedFact & { readonly fact: F };

/** Keeps the facts of some types: `facts$.pipe(ofType<PteCleared>('PteCleared'), ...)`. */
export const ofType = <F extends Fact>(
  ...types: readonly F['type'][]
): OperatorFunction<RecordedFact, Recorded<F>> =>
  filter((recorded): recorded is Recorded<F> => types.includes(recorded.fact.type));
