import { Shard, spaceOf } from '@tablewalk/explore';
import type { Answer, Batch, Order, Parcel } from '@tablewalk/explore';
import { parentPort, workerData } from 'node:worker_threads';
import { stage } from '../staging.ts';
import { findStory } from '../story-file.ts';
import { failureOf } from './protocol.ts';
import type { Assignment, FromThread } from './protocol.ts';

/** States that are expanded before it is looked what has arrived. */
const AT_A_TIME = 512;
const PROGRESS_EVERY = 8192;

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

/** What goes wrong here is said there, where somebody listens; nothing more is done. */
function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    tell({ kind: 'failed', failure: failureOf(error) });
  }
}

function serve(shard: Shard, ports: Assignment['ports']): void {
  let scheduled = false;
  let told = 0;

  const deliver = ({ to, message }: Parcel): void =>
    ports[to]?.postMessage(message, message.kind === 'batch' ? [message.words.buffer as ArrayBuffer] : []);
  const go = (): void => {
    const more = shard.work(AT_A_TIME);
    shard.takeParcels().forEach(deliver);
    const report = shard.takeReport();
    if (report !== undefined) tell({ kind: 'report', report });
    const { states, frontier } = shard.counts;
    if (Math.abs(states - frontier - told) >= PROGRESS_EVERY) {
      told = states - frontier;
      tell({ kind: 'progress', counts: shard.counts });
    }
    if (more && !scheduled) {
      scheduled = true;
      setImmediate(goOn);
    }
  };
  const goOn = (): void => {
    scheduled = false;
    guarded(go);
  };
  const takeIn = (bring: () => void): void =>
    guarded(() => {
      bring();
      if (!scheduled) go();
    });

  ports.forEach((port, from) =>
    port?.on('message', (message: Batch | Answer) => takeIn(() => shard.receive(from, message))),
  );
  parentPort?.on('message', (order: Order) => takeIn(() => shard.obey(order)));
}

/** One shard in a thread of its own. */
export async function runShard(): Promise<void> {
  const { story, variant, set, options, index, ports } = workerData as Assignment;
  try {
    const built = await stage({ story: await findStory(story), variant, set });
    serve(new Shard(spaceOf(built, options), index, ports.length, options), ports);
  } catch (error) {
    tell({ kind: 'failed', failure: failureOf(error) });
  }
}
