import { writeFileSync } from 'node:fs';

/** Results go to stdout, what is only of interest while one waits to stderr. */
export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
export const printJson = (value: unknown): void => {
  print(JSON.stringify(value, undefined, 2));
};

/** A line that says how far a run is: drawn over on a terminal, silent in a pipe. */
export class Progress {
  private drawn = 0;
  private readonly enabled: boolean;

  constructor(quiet: boolean) {
    this.enabled = !quiet && process.stderr.isTTY;
  }

  show(text: () => string): void {
    if (!this.enabled) return;
    const now = Date.now();
    if (now - this.drawn < 100) return;
    this.drawn = now;
    process.stderr.write(`\r\x1b[K${text()}`);
  }

  clear(): void {
    if (this.enabled && this.drawn > 0) process.stderr.write('\r\x1b[K');
  }
}

export const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Writes a file that the user named; `-` is stdout. */
export function writeNamed(path: string, text: string): void {
  if (path === '-') process.stdout.write(text);
  else writeFileSync(path, text);
}
