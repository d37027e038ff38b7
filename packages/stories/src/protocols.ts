import { ConfigError } from '@tablewalk/base';
import { kmapDma } from './kmap-dma.ts';
import { mmuGatherModel } from './mmu-gather-model.ts';
import { pkmapModel } from './pkmap-model.ts';
import type { ModelStory } from './story.ts';

/** A row of counts that a model checker made: which protocol, which variant, how large. */
export interface ProtocolRow {
  /** `kmap-dma`, `mmu-gather`, `pkmap`. */
  readonly model: string;
  /** `FIXED`, `BUGGY`; for pkmap `BUG=0`, `BUG=1`, `BUG=2`. */
  readonly variant: string;
  /**
   * `S=2 L=1 W=1 R=2`; a bare word is a switch: `PTFREE P=1 C=2`. What is not named is as the story has it.
   */
  readonly size: string;
}

/** The story that a row counts, and how it is to be built. */
export interface ProtocolRun {
  readonly story: ModelStory;
  readonly variant: string;
  readonly knobs: Readonly<Record<string, number>>;
}

const PROTOCOLS: Readonly<Record<string, { story: ModelStory; variants: Readonly<Record<string, string>> }>> =
  {
    'kmap-dma': { story: kmapDma, variants: { FIXED: 'repaired', BUGGY: 'broken' } },
    'mmu-gather': { story: mmuGatherModel, variants: { FIXED: 'repaired', BUGGY: 'broken' } },
    pkmap: { story: pkmapModel, variants: { 'BUG=0': 'repaired', 'BUG=1': 'bug-1', 'BUG=2': 'bug-2' } },
  };

export function protocolRun({ model, variant, size }: ProtocolRow): ProtocolRun {
  const protocol = PROTOCOLS[model];
  const told = protocol?.variants[variant];
  if (protocol === undefined || told === undefined) throw unknownProtocol(`"${model}", variant "${variant}"`);
  const { story } = protocol;
  const knobs = Object.fromEntries(size.trim().split(/\s+/).map(knobOf));
  for (const name in knobs)
    if (story.knobs?.[name] === undefined || !Number.isSafeInteger(knobs[name]))
      throw unknownProtocol(`"${model}" of size "${size}": ${name} is no number of it`);
  return { story, variant: told, knobs: { ...story.knobs, ...knobs } };
}

function knobOf(word: string): readonly [string, number] {
  const [name = '', value = '1'] = word.split('=');
  return [name, Number(value)];
}

const unknownProtocol = (which: string): ConfigError =>
  new ConfigError('STORY_UNKNOWN', {
    what: `there is no protocol ${which}`,
    why: `the protocols are: ${Object.keys(PROTOCOLS).join(', ')}`,
    fix: 'name one of these, its variant as SPIN ran it, and numbers that it has',
  });
