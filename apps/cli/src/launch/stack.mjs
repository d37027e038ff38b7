// @ts-check
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';

/**
 * Makes stacks name the sources of a script. Nothing is read before somebody looks at a stack.
 *
 * @param {string} script
 */
export function nameSourcesOf(script) {
  /** @type {SourceMap | undefined} */
  let map;
  const place = new RegExp(`${script.replace(/[^\w/]/g, '\\$&')}:(\\d+):(\\d+)`, 'g');
  Error.prepareStackTrace = (error, frames) => {
    const stack = [nameOf(error), ...frames.map((frame) => `    at ${frame}`)].join('\n');
    if (!stack.includes(script)) return stack;
    return stack.replace(place, (unmapped, line, column) => {
      try {
        map ??= new SourceMap(JSON.parse(readFileSync(`${script}.map`, 'utf8')));
        const found = map.findEntry(Number(line) - 1, Number(column) - 1);
        const { originalSource, originalLine, originalColumn } = /** @type {any} */ (found);
        if (originalSource === undefined) return unmapped;
        return `${resolve(dirname(script), originalSource)}:${originalLine + 1}:${originalColumn + 1}`;
      } catch {
        return unmapped;
      }
    });
  };
}

/** @param {Error} error */
function nameOf(error) {
  try {
    return String(error);
  } catch {
    return 'Error';
  }
}
