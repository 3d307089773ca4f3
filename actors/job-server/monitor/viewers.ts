import type { ServerResponse } from 'node:http';
import { changeBetween, type Picture, takePicture } from './picture.ts';
import type { Watched } from './watched.ts';

/** Something is said at least so often, so that proxies keep the connection, in milliseconds. */
const SIGN_OF_LIFE = 15_000;
/**
 * A viewer who takes nothing for so long is hung up on, in milliseconds; its browser comes back by itself. What waits to
 * be written would else keep the program alive.
 */
const STUCK_AFTER = 5_000;

/** JSON in which nothing can be taken for a tag, wherever it ends up. */
export const safeJson = (value: unknown): string => JSON.stringify(value).replace(/</g, '\\u003c');

const eventText = (event: string, value: unknown): string => `event: ${event}\ndata: ${safeJson(value)}\n\n`;

/** One who looks on. What waits for him is one event at most: if he is slow he misses changes, and gets a whole picture. */
class Viewer {
  readonly #response: ServerResponse;
  readonly #whole: () => string;
  #isFull = false;
  #hasMissed = false;
  #stuck: NodeJS.Timeout | undefined;

  /** `whole` gives the picture to which the next change belongs. */
  constructor(response: ServerResponse, whole: () => string) {
    this.#response = response;
    this.#whole = whole;
    response.on('drain', () => this.#drained());
    response.on('close', () => clearTimeout(this.#stuck));
    this.#write(whole());
  }

  tell(text: string): void {
    if (this.#isFull) this.#hasMissed = true;
    else this.#write(text);
  }

  /** Says that there is nothing more to come. */
  end(): void {
    if (this.#isFull) this.#response.destroy();
    else this.#response.end(eventText('end', {}));
  }

  #write(text: string): void {
    if (this.#response.write(text)) return;
    this.#isFull = true;
    this.#stuck = setTimeout(() => this.#response.destroy(), STUCK_AFTER).unref();
  }

  #drained(): void {
    clearTimeout(this.#stuck);
    this.#isFull = false;
    if (!this.#hasMissed) return;
    this.#hasMissed = false;
    this.#write(this.#whole());
  }
}

/** All who look on. As long as there is one, a timer looks for what has changed; it does not hold the program. */
export class Viewers {
  readonly #watched: Watched;
  readonly #every: number;
  readonly #viewers = new Set<Viewer>();
  #timer: NodeJS.Timeout | undefined;
  #last: Picture | undefined;
  #lastText: string | undefined;
  #saidAt = 0;

  /** `every` is how often it looks, in milliseconds. */
  constructor(watched: Watched, every: number) {
    this.#watched = watched;
    this.#every = every;
  }

  get size(): number {
    return this.#viewers.size;
  }

  /** Shows somebody all there is, and what changes from then on, as Server-Sent Events, until he goes. */
  show(response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'X-Accel-Buffering': 'no',
    });
    if (!this.#last) this.#take(takePicture(this.#watched));
    this.#timer ??= setInterval(() => this.#look(), this.#every).unref();
    const viewer = new Viewer(response, () => this.#whole());
    this.#viewers.add(viewer);
    response.on('close', () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#rest();
    });
  }

  /** Shows all how it ended, and says farewell. */
  close(): void {
    if (this.#last) this.#look();
    for (const viewer of this.#viewers) viewer.end();
    this.#rest();
  }

  /** A picture is made into text once, however many get it. */
  #whole(): string {
    this.#lastText ??= eventText('picture', this.#last);
    return this.#lastText;
  }

  #take(picture: Picture): void {
    this.#last = picture;
    this.#lastText = undefined;
  }

  #look(): void {
    const before = this.#last!;
    const picture = takePicture(this.#watched);
    const change = changeBetween(before, picture);
    const now = performance.now();
    if (change) {
      this.#take(picture);
      this.#tell(eventText('change', change), now);
    } else if (now - this.#saidAt >= SIGN_OF_LIFE) this.#tell(':\n\n', now);
  }

  #tell(text: string, now: number): void {
    this.#saidAt = now;
    for (const viewer of this.#viewers) viewer.tell(text);
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#last = undefined;
    this.#lastText = undefined;
  }
}
