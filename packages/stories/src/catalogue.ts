import { ConfigError, nearestName } from '@tablewalk/base';
import { dmaSpeculation } from './dma-speculation.ts';
import { firstTableLeak } from './first-table-leak.ts';
import { halfPair } from './half-pair.ts';
import { ioremapSectionsSmp } from './ioremap-sections-smp.ts';
import { kmapAtomicSleep } from './kmap-atomic-sleep.ts';
import { kmapDma } from './kmap-dma.ts';
import { kmapHighGet } from './kmap-high-get.ts';
import { kunmapAtomicPop } from './kunmap-atomic-pop.ts';
import { lockInFault } from './lock-in-fault.ts';
import { lpaeDyingPgd } from './lpae-dying-pgd.ts';
import { lpaeFirstPmdLeak } from './lpae-first-pmd-leak.ts';
import { lpaeHighBits } from './lpae-high-bits.ts';
import { lpaeIdmap } from './lpae-idmap.ts';
import { lpaeSharedPmd } from './lpae-shared-pmd.ts';
import { mismatchedAttributes } from './mismatched-attributes.ts';
import { mmuGatherModel } from './mmu-gather-model.ts';
import { peterson } from './peterson.ts';
import { pkmapModel } from './pkmap-model.ts';
import { pteNoDsb } from './pte-no-dsb.ts';
import { seqlock } from './seqlock.ts';
import { shoot6x2 } from './shoot6x2.ts';
import type { Story } from './story.ts';
import { ticketLock } from './ticket-lock.ts';
import { unmapFreeRace } from './unmap-free-race.ts';
import { vmapStack } from './vmap-stack.ts';

/** Every story there is, by id. */
export const stories: readonly Story[] = [
  dmaSpeculation,
  firstTableLeak,
  halfPair,
  ioremapSectionsSmp,
  kmapAtomicSleep,
  kmapDma,
  kmapHighGet,
  kunmapAtomicPop,
  lockInFault,
  lpaeDyingPgd,
  lpaeFirstPmdLeak,
  lpaeHighBits,
  lpaeIdmap,
  lpaeSharedPmd,
  mismatchedAttributes,
  mmuGatherModel,
  peterson,
  pkmapModel,
  pteNoDsb,
  seqlock,
  shoot6x2,
  ticketLock,
  unmapFreeRace,
  vmapStack,
];

export function storyOf(id: string): Story {
  const story = stories.find((known) => known.id === id);
  if (story !== undefined) return story;
  const ids = stories.map((known) => known.id);
  throw new ConfigError('STORY_UNKNOWN', {
    what: `there is no story "${id}"`,
    why: `the stories are: ${ids.join(', ')}`,
    fix: suggestion(nearestName(id, ids)),
  });
}

const VERDICT_OF_ALIAS: Readonly<Record<string, string>> = { broken: 'violated', repaired: 'holds' };

/** The name of a variant; `broken` and `repaired` also name the first that is violated, or holds. */
export function variantOf(story: Story, name: string): string {
  if (Object.hasOwn(story.variants, name)) return name;
  const names = Object.keys(story.variants);
  const verdict = Object.hasOwn(VERDICT_OF_ALIAS, name) ? VERDICT_OF_ALIAS[name] : undefined;
  const first = names.find((known) => story.variants[known]?.verdict === verdict);
  if (first !== undefined) return first;
  throw new ConfigError('STORY_VARIANT_UNKNOWN', {
    what: `story "${story.id}" has no variant "${name}"`,
    why: `its variants are: ${names.join(', ')}`,
    fix: suggestion(nearestName(name, names)),
  });
}

const suggestion = (near: string | undefined): string =>
  near === undefined ? 'name one of these' : `did you mean "${near}"?`;
