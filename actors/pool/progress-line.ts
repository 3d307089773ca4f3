import process from 'node:process';
import { mayColour } from '../terminal.ts';
import type { Progress } from './progress.ts';

// clack's progress bar is not used: it reads the standard input, which is where `map` gets its inputs from,
// and turns Ctrl-C into an exit with code 0.

/** Ten a second: what an eye can follow, and nothing beside the work. */
const REDRAW_MS = 100;
const BAR_WIDTH = 24;

type Screen = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

/** What has been done so far; what is not known is not shown. */
export interface Shown {
  readonly total: number | undefined;
  readonly done: number;
  readonly failed: number;
  /** In how many milliseconds all will be done. */
  readonly eta?: number | undefined;
  /** How many workers have something in hand. */
  readonly busy?: number | undefined;
  /** Elements a second. @default the mean so far */
  readonly rate?: number | undefined;
}

/** A time as people say it. */
const spoken = (ms: number): string => {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
};

/** The text of the bar, without colours, at most `columns` wide. */
export const barText = (
  { total, done, failed, eta, busy, rate }: Shown,
  seconds: number,
  columns: number,
): string => {
  const speed = rate ?? done / seconds;
  const parts = [
    failed > 0 && `${failed} failed`,
    Number.isFinite(speed) && `${Math.round(speed)}/s`,
    eta !== undefined && eta > 0 && `${spoken(eta)} left`,
    busy !== undefined && `${busy} busy`,
  ].filter((part) => part !== false);
  if (total === undefined) return [`${done} done`, ...parts].join(', ').slice(0, columns);
  const share = total === 0 ? 1 : done / total;
  const full = Math.floor(share * BAR_WIDTH);
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}]`;
  return [`${bar} ${done}/${total}`, ...parts].join(', ').slice(0, columns);
};

/** One line at the bottom of a terminal that shows how far a run is, and log lines above it. */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #read: () => Shown;
  readonly #live: boolean;
  readonly #began = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  /** Draws on `screen` if that is a terminal, and only from `start` to `stop`. */
  constructor(screen: Screen, read: () => Shown) {
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

/**
 * A bar for `onProgress`: one line with rate, time left, failures and busy workers, drawn on a terminal only, and taken
 * away at the end. Made for one map.
 */
export const progressBar = (stream: Screen = process.stderr): ((progress: Progress) => void) => {
  let latest: Progress | undefined;
  let line: ProgressLine | undefined;
  return (progress) => {
    latest = progress;
    if (progress.ended) line?.stop();
    else if (!line) {
      line = new ProgressLine(stream, () => latest!);
      line.start();
    }
  };
};
