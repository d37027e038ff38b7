/** How far a sweep is. */
export interface SweepProgress {
  readonly points: number;
  readonly pointsDone: number;
  /** References of the points that this process runs, and how many of these have been simulated. */
  readonly references: number;
  readonly referencesDone: number;
  readonly seconds: number;
}

const WIDTH = 24;

/** `[=====     ] 3/12 points  27 %  5.1 M references/s  1:20 left`. */
export function barText({ points, pointsDone, references, referencesDone, seconds }: SweepProgress): string {
  const part = references === 0 ? 1 : Math.min(1, referencesDone / references);
  const bar = '='.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH);
  const rate = seconds > 0 ? referencesDone / seconds : 0;
  const left = rate > 0 ? `, ${timeText((references - referencesDone) / rate)} left` : '';
  const percent = Math.floor(part * 100);
  return `[${bar}] ${pointsDone}/${points} points, ${percent} %, ${rateText(rate)} references/s${left}`;
}

export const rateText = (rate: number): string =>
  rate >= 1e6 ? `${(rate / 1e6).toFixed(1)} M` : `${Math.round(rate / 1e3)} k`;

export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
