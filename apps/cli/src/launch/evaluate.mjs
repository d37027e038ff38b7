// @ts-check
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { nameSourcesOf } from './stack.mjs';

/**
 * Runs a script with V8's code cache. The first process of a use leaves the cache behind when it ends well: every
 * function that it called is in it, compiled.
 *
 * @param {string} file a function of CommonJS's `require`, `module`, `exports`, and of `installUrl`
 * @param {string} use
 * @param {{ require: NodeJS.Require, installUrl: string }} environment
 */
export function evaluate(file, use, { require, installUrl }) {
  const cacheFile = join(dirname(file), `${use}-${process.version}-${process.arch}.v8`);
  // The bundle is plain ASCII: nothing has to be decoded.
  const text = readFileSync(file, 'latin1');
  const script = new Script(text, {
    filename: file,
    cachedData: read(cacheFile),
  });
  nameSourcesOf(file);
  const forget =
    script.cachedDataRejected === false || !isMainThread ? () => undefined : keepWhenDone(script, cacheFile);
  const module = { exports: {} };
  script.runInThisContext()(require, module, module.exports, installUrl);
  return { exports: module.exports, forget };
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Answers how to leave it. @param {Script} script @param {string} file */
function keepWhenDone(script, file) {
  // In a long run V8 would forget the code of what ran only in the beginning.
  setFlagsFromString('--no-flush-bytecode');
  /** @param {number} exitCode */
  const keep = (exitCode) => {
    // The cache is good for processes with the same flags: those that V8 has by itself.
    setFlagsFromString('--flush-bytecode');
    if (exitCode > 1) return;
    try {
      const own = `${file}.${process.pid}`;
      writeFileSync(own, script.createCachedData());
      renameSync(own, file);
    } catch {
      // The next process may have more luck; this one has done its work.
    }
  };
  process.once('exit', keep);
  return () => {
    process.off('exit', keep);
    setFlagsFromString('--flush-bytecode');
  };
}
