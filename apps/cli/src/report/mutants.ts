import type { MutantVerdict } from '@tablewalk/explore';
import type { Story } from '@tablewalk/stories';

/** A mutant with what the story says of it, where it survives. */
export interface JudgedMutant extends MutantVerdict {
  readonly why?: string;
}

export const judged = (story: Story, mutants: readonly MutantVerdict[]): JudgedMutant[] =>
  mutants.map((mutant) => {
    const known =
      mutant.verdict === 'survived'
        ? story.survivors?.find(({ named }) => named.test(mutant.name))
        : undefined;
    return known === undefined ? mutant : { ...mutant, why: known.why };
  });

/** One line as soon as it is known. */
export const mutantText = ({ name, verdict, by }: MutantVerdict): string =>
  `${verdict.padEnd(10)} ${name}${by === undefined ? '' : `  (${by})`}`;

export interface MutantCounts {
  readonly mutants: number;
  readonly caught: number;
  readonly crashed: number;
  readonly survived: number;
  readonly unexplained: number;
  readonly unfinished: number;
}

export function countsOf(mutants: readonly JudgedMutant[]): MutantCounts {
  const count = (verdict: MutantVerdict['verdict']): number =>
    mutants.filter((mutant) => mutant.verdict === verdict).length;
  return {
    mutants: mutants.length,
    caught: count('caught'),
    crashed: count('crashed'),
    survived: count('survived'),
    unexplained: mutants.filter(({ verdict, why }) => verdict === 'survived' && why === undefined).length,
    unfinished: count('unfinished'),
  };
}

export function mutantsText(mutants: readonly JudgedMutant[]): string {
  const { caught, crashed, survived, unexplained, unfinished } = countsOf(mutants);
  const reasons = [...new Set(mutants.flatMap(({ why }) => (why === undefined ? [] : [why])))];
  const explained = reasons.map((why) => {
    const of = mutants.filter((mutant) => mutant.why === why).length;
    return `  ${of} of them: ${why}`;
  });
  return [
    `${mutants.length} mutants: ${caught} caught by a rule, ${crashed} by an assertion of the kernel, ` +
      `${survived} survived` +
      (unfinished === 0 ? '' : `, ${unfinished} not decided within the budget`),
    ...explained,
    ...(unexplained === 0 ? [] : [`  ${unexplained} of them: the story does not say why`]),
  ].join('\n');
}
