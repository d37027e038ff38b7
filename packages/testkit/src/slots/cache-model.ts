import {
  AccessKind,
  cacheLinesKey,
  order,
  storeLine,
  translatedBatch,
  vocabularyFacts,
} from '@tablewalk/contracts';
import type {
  CacheEngine,
  CacheOperation,
  CacheLinesState,
  CachePlugin,
  Command,
  Fact,
  Routine,
  TranslatedBatch,
} from '@tablewalk/contracts';
import { Fold, viewOf } from '@tablewalk/machine';
import type { World } from '@tablewalk/machine';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { componentSuite } from '../component-suite.ts';
import { hold } from '../property.ts';

/** Lines of the model: halves of pages, each of them many lines of any exact cache. */
const LINES_PER_PAGE = 2;
const LINE_BYTES = 4096 / LINES_PER_PAGE;
const PAGES = 6;
/** The sixth page has the first one's frame: a synonym. What is mapped where never changes. */
const frameOf = (page: number): number => 0x80000 + (page % (PAGES - 1));
const vaOf = ({ page, half }: Half): number => (8 + page) * 4096 + half * LINE_BYTES;
const paOf = ({ page, half }: Half): number => frameOf(page) * 4096 + half * LINE_BYTES;

interface Half {
  readonly page: number;
  readonly half: number;
}
type Step = readonly [what: 'store' | CacheOperation | 'clean-all' | 'flush-all', at: Half, offset: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(
    'store',
    'store',
    'store',
    'clean',
    'invalidate',
    'clean-invalidate',
    'clean-all',
    'flush-all',
  ),
  fc.record({ page: fc.nat(PAGES - 1), half: fc.nat(LINES_PER_PAGE - 1) }),
  fc.nat(LINE_BYTES / 4 - 1).map((word) => word * 4),
);

/**
 * The architectural facet against the exact one, on one CPU: what is dirty in the geometry's cache is dirty in
 * the model. The other way round need not hold, for an exact cache evicts when it must.
 */
export function cacheModelSuite(newPlugin: () => CachePlugin): void {
  const modelOf = (plugin: CachePlugin) =>
    plugin.model?.({ cpus: 1, linesPerPage: LINES_PER_PAGE, evictions: [] });

  it('has a dirty line nowhere but where its architectural model has one', () => {
    let dirty = 0;
    hold(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const plugin = newPlugin();
        const engine = plugin.engine();
        const model = new ModelWorld(
          plugin,
          modelOf(plugin)?.component as NonNullable<CachePlugin['component']>,
        );
        for (const [what, at, offset] of steps) {
          if (what === 'store') engine.run(0, storeBatch(vaOf(at) + offset, paOf(at) + offset));
          else engine.maintain(0, exactOrder(what, at));
          model.take(what, at, offset);
        }
        for (let page = 0; page < PAGES; page++)
          for (let half = 0; half < LINES_PER_PAGE; half++) {
            const at = { page, half };
            if (!dirtyIn(engine, at)) continue;
            dirty += 1;
            expect(model.dirty(at), `${JSON.stringify(at)} after ${JSON.stringify(steps)}`).toBe(true);
          }
      }),
      60,
    );
    if (newPlugin().engine().counterNames.includes('dcache.writebacks')) expect(dirty).toBeGreaterThan(0);
  });

  const model = modelOf(newPlugin());
  if (model !== undefined)
    componentSuite({ name: 'cache', component: model.component, schemas: vocabularyFacts, cpus: 1 });
}

class ModelWorld {
  private world: World;
  private readonly fold: Fold;

  constructor(
    private readonly plugin: CachePlugin,
    private readonly component: NonNullable<CachePlugin['component']>,
  ) {
    this.fold = new Fold([{ name: 'cache', component }], 1);
    this.world = this.fold.initial();
  }

  take(what: Step[0], at: Half, offset: number): void {
    if (what === 'store') this.order(storeLine(0, vaOf(at) + offset, paOf(at) + offset));
    else if (what === 'clean-all' || what === 'flush-all')
      this.run(order(wholeOrder(what === 'clean-all' ? 'clean' : 'clean-invalidate')));
    else this.run(this.plugin.maintain({ cpu: 0, args: [] }, what, vaOf(at), paOf(at), LINE_BYTES));
  }

  dirty(at: Half): boolean {
    const [lines = []] = viewOf(() => this.world)<CacheLinesState>(cacheLinesKey);
    return lines.some(({ va, pa, dirty }) => dirty && pa === paOf(at) && (va === 0 || va === vaOf(at)));
  }

  private run(routine: Routine): void {
    for (let step = routine.next([]); step.done !== true; step = routine.next([]))
      if (step.value.kind === 'issue') this.order(step.value.command);
  }

  private order(command: Command): void {
    const env = { cpu: 0, view: viewOf(() => this.world), below: () => 0 };
    const facts = this.component.decide(command, this.world.slices['cache'], env) as readonly Fact[];
    for (const fact of facts) {
      const seq = this.world.facts;
      this.fold.direct(this.world, { seq, by: 'cache', cpu: 0, time: 0, stimulus: 0, fact });
    }
  }
}

const wholeOrder = (operation: CacheOperation): Command =>
  ({
    to: 'cache',
    type: 'MaintainCache',
    cpu: 0,
    operation,
    side: 'both',
    whole: true,
    va: 0,
    pa: 0,
    bytes: 0,
  }) as Command;

function exactOrder(what: Exclude<Step[0], 'store'>, at: Half) {
  if (what === 'clean-all') return { operation: 'clean', side: 'both' } as const;
  if (what === 'flush-all') return { operation: 'clean-invalidate', side: 'both' } as const;
  const range = { va: vaOf(at), pa: paOf(at), bytes: LINE_BYTES };
  return { operation: what, side: 'data', range } as const;
}

/** A clean says how much was dirty; nothing is asked of the cache afterwards. */
function dirtyIn(engine: CacheEngine, at: Half): boolean {
  const range = { va: vaOf(at), pa: paOf(at), bytes: LINE_BYTES };
  return engine.maintain(0, { operation: 'clean', side: 'data', range })[0] > 0;
}

function storeBatch(va: number, pa: number): TranslatedBatch {
  const batch = translatedBatch(1);
  batch.count = 1;
  batch.kind[0] = AccessKind.store;
  [batch.vaLo[0], batch.paLo[0], batch.size[0]] = [va, pa, 4];
  return batch;
}
