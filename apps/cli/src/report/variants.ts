import { explorationJson, reproduceCommand } from './exploration.ts';
import type { ExplorationJson, Explored } from './exploration.ts';

/**
 * Every variant of a story held against what the story says of it: the verdict, and the rule that names the
 * violation. With `--set` the world is another, and there is nothing to hold it against.
 */
export const contradicts = (explored: Explored): boolean => contradiction(explored) !== undefined;

function contradiction({ choice, found }: Explored): string | undefined {
  const declared = choice.story.variants[choice.variant];
  if (declared === undefined || Object.keys(choice.set).length > 0 || found.verdict === 'unfinished')
    return undefined;
  if (declared.verdict !== found.verdict) return `the story says: ${declared.verdict}`;
  if (declared.rule === undefined || found.violation === undefined) return undefined;
  return declared.rule === found.violation.rule ? undefined : `the story says: ${declared.rule}`;
}

export function comparisonText(explored: Explored): string {
  const { choice, found, seconds } = explored;
  const wrong = contradiction(explored);
  const agreed = wrong === undefined ? '' : `  BUT ${wrong}`;
  const rule = found.violation === undefined ? '' : `  ${found.violation.rule}`;
  const steps = found.violation === undefined ? '' : ` in ${found.violation.schedule.length} steps`;
  const why = found.unfinished === undefined ? '' : `  ${found.unfinished}`;
  const states = `${found.states.toLocaleString('en-US')} states`;
  const line = `${choice.variant.padEnd(20)} ${`${found.verdict}${steps}`.padEnd(22)} ${states.padStart(18)}`;
  const command = reproduceCommand(explored);
  return [
    `${line} ${seconds.toFixed(2).padStart(7)} s${rule}${why}${agreed}`,
    ...(command === undefined ? [] : [`  reproduce: ${command}`]),
  ].join('\n');
}

export interface ComparisonJson {
  readonly story: string;
  /** False when a variant is not as its story says. */
  readonly agrees: boolean;
  readonly variants: readonly (ExplorationJson & { readonly contradiction?: string })[];
}

export const comparisonJson = (story: string, every: readonly Explored[]): ComparisonJson => ({
  story,
  agrees: !every.some(contradicts),
  variants: every.map((explored) => {
    const wrong = contradiction(explored);
    return { ...explorationJson(explored), ...(wrong === undefined ? {} : { contradiction: wrong }) };
  }),
});
