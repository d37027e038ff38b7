// A thread: what it runs, and whether from the bundle, is said by who starts it (`start.ts`).
import { runThread } from '../launch/launch.mjs';

await runThread(...process.argv.slice(2).map((each) => JSON.parse(each)));
