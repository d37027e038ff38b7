import { ConfigError } from '@tablewalk/base';
import type { HistoryFile } from './history-file.ts';
import { batchRows, passes } from './inspection.ts';
import { note, print, printJson } from './output.ts';
import { accessReport, accessText, ROW_HEAD, rowText } from './report/access-report.ts';
import { lastPlace } from './standstill.ts';

/** Reference `access` of batch `batch`, as `replay --batches` numbers them; behind the last, the one that trapped. */
export interface AccessPlace {
  readonly batch: number;
  readonly access: number;
}

export function listBatches(history: HistoryFile, json: boolean): void {
  if (json) {
    printJson({ history: history.path, batches: [...batchRows(history)] });
    return;
  }
  print(ROW_HEAD);
  for (const row of batchRows(history)) print(rowText(row));
}

/** Runs the data plane from the last checkpoint before the batch, then the access alone. */
export async function showAccess(
  history: HistoryFile,
  { batch, access }: AccessPlace,
  json: boolean,
): Promise<void> {
  const built = await history.build();
  const place = lastPlace(history, built, ({ retired }) => retired <= batch, note);
  let batches = place.retired;
  for (const pass of passes(history, built, place)) {
    batches = pass.row.number + 1;
    if (pass.row.number !== batch) continue;
    const { count, trap } = pass.row;
    if (access >= count + (trap === undefined ? 0 : 1))
      throw outOfRange(
        `batch ${batch} has ${count} references${trap === undefined ? '' : ', and one that trapped'}`,
      );
    let shown: ReturnType<typeof accessReport> | undefined;
    pass.inspect(
      (at) => at === access,
      (at, effects) => {
        shown = accessReport(built, pass, at, effects);
      },
    );
    if (shown === undefined) throw outOfRange('the history is of a story, and runs no references');
    if (json) printJson({ history: history.path, ...shown });
    else print(accessText(shown));
    return;
  }
  throw outOfRange(`the history has ${batches} batches; --batches lists them`);
}

const outOfRange = (why: string): ConfigError =>
  new ConfigError('ACCESS_OUT_OF_RANGE', {
    what: '--at names an access that is not there',
    why,
    fix: 'give BATCH:ACCESS with smaller numbers; both count from 0',
    at: '--at',
  });
