import { ConfigError, Digest } from '@tablewalk/base';

/**
 * A schedule as one word that a person can paste: `tw1:3.0.2x4:9f3c` takes alternative 3, then 0, then four
 * times 2. `tw1` is the format's version; the last part is a check of the numbers, so that a word that lost a
 * letter is refused rather than played.
 */
const FORMAT = 'tw1';
/** A schedule has a step a number; nobody plays one of more steps. */
const STEPS_MAX = 10_000_000;
const WORD = /^(?<format>tw\d+):(?<runs>[0-9x.]*):(?<check>[0-9a-f]*)$/;
const RUN = /^(0|[1-9]\d{0,8})(?:x([1-9]\d{0,8}))?$/;

export function encodeSchedule(schedule: readonly number[]): string {
  const runs: string[] = [];
  for (let at = 0; at < schedule.length;) {
    const taken = schedule[at] as number;
    let end = at + 1;
    while (end < schedule.length && schedule[end] === taken) end += 1;
    runs.push(end - at === 1 ? String(taken) : `${taken}x${end - at}`);
    at = end;
  }
  return `${FORMAT}:${runs.join('.')}:${checkOf(schedule)}`;
}

export function decodeSchedule(text: string): number[] {
  const parts = WORD.exec(text.trim())?.groups;
  if (parts === undefined) throw malformed(text, `it does not look like ${FORMAT}:3.0.2x4:9f3c`);
  const { format, runs = '', check } = parts;
  if (format !== FORMAT) throw malformed(text, `its format is ${format}, and this version reads ${FORMAT}`);
  const schedule: number[] = [];
  for (const run of runs === '' ? [] : runs.split('.')) {
    const [, taken, times = '1'] = RUN.exec(run) ?? [];
    if (taken === undefined) throw malformed(text, `"${run}" is no number, and no number of times`);
    if (schedule.length + Number(times) > STEPS_MAX)
      throw malformed(text, `it has more than ${STEPS_MAX.toLocaleString('en-US')} steps`);
    for (let i = 0; i < Number(times); i++) schedule.push(Number(taken));
  }
  if (check !== checkOf(schedule))
    throw malformed(text, 'its check does not fit its numbers: a part of it is missing, or was changed');
  return schedule;
}

const checkOf = (schedule: readonly number[]): string => new Digest().words(schedule).hex().slice(0, 4);

const malformed = (text: string, why: string): ConfigError =>
  new ConfigError('SCHEDULE_MALFORMED', {
    what: `"${text.length > 60 ? `${text.slice(0, 57)}...` : text}" is no schedule`,
    why,
    fix: 'copy the whole word that a violation printed after --schedule',
    at: '--schedule',
  });
