import type { CacheOperation, Command, VocabularyFactOf } from '@tablewalk/contracts';

/** Maintenance of one CPU's caches, by range or of everything, as the component of slot `cache` takes it. */
export interface MaintainCache extends Command {
  readonly type: 'MaintainCache';
  readonly cpu: number;
  readonly operation: CacheOperation;
  readonly side: 'data' | 'instruction' | 'both';
  readonly whole: boolean;
  readonly va: number;
  readonly pa: number;
  readonly bytes: number;
}

export const maintainCache = (what: Omit<MaintainCache, 'to' | 'type'>): MaintainCache => ({
  to: 'cache',
  type: 'MaintainCache',
  ...what,
});

export const maintained = ({
  cpu,
  operation,
  side,
  whole,
  va,
  pa,
  bytes,
}: MaintainCache): VocabularyFactOf<'CacheMaintained'> => ({
  type: 'CacheMaintained',
  cpu,
  operation,
  side,
  whole,
  va,
  pa,
  bytes,
});
