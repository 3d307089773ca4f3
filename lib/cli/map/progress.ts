import process from 'node:process';
import { mayColour } from '../report.ts';

// clack's progress bar is not used: it reads the standard input, which is where `map` gets its inputs from,
// and turns Ctrl-C into an exit with code 0.

/** Ten a second: what an eye can follow, and nothing beside the work. */
const REDRAW_MS = 100;
const BAR_WIDTH = 24;

type Screen = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** What has been done so far. */
export interface Progress {
  readonly total: number | undefined;
  readonly done: number;
  readonly failed: number;
}

/** The text of the bar, without colours, at most `columns` wide. */
export const barText = ({ total, done, failed }: Progress, seconds: number, columns: number): string => {
  const rate = seconds > 0 ? `, ${Math.round(done / seconds)}/s` : '';
  const failures = failed > 0 ? `, ${failed} failed` : '';
  if (total === undefined) return `${done} done${failures}${rate}`.slice(0, columns);
  const share = total === 0 ? 1 : done / total;
  const full = Math.floor(share * BAR_WIDTH);
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}]`;
  return `${bar} ${done}/${total}${failures}${rate}`.slice(0, columns);
};

/** One line at the bottom of a terminal that shows how far a run is, and log lines above it. */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #read: () => Progress;
  readonly #live: boolean;
  readonly #began = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  /** Draws on `screen` if that is a terminal, and only from `start` to `stop`. */
  constructor(screen: Screen, read: () => Progress) {
    this.#screen = screen;
    this.#read = read;
    this.#live = screen.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** Begins to draw. */
  start(): void {
    if (!this.#live) return;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    // What holds the process is its work, never its bar.
    this.#timer.unref();
  }

  /** Takes the bar off the screen until it is drawn again, so that something else can be written. */
  clear(): void {
    if (!this.#shown) return;
    this.#screen.write('\r\u001b[2K');
    this.#shown = false;
  }

  /** Writes one line above the bar. */
  log(line: string): void {
    this.clear();
    this.#screen.write(`${line}\n`);
  }

  /** Ends drawing and clears the bar. */
  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #draw(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    const text = barText(this.#read(), seconds, Math.max(20, (this.#screen.columns || 80) - 1));
    this.#screen.write(`\r\u001b[2K${mayColour(this.#screen) ? `\u001b[36m${text}\u001b[39m` : text}`);
    this.#shown = true;
  }
}
