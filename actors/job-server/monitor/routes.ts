import type { IncomingMessage, ServerResponse } from 'node:http';
import { OptionError } from '../../../lib/wire/errors.ts';
import type { Guard } from './guard.ts';
import { METRICS_TYPE, metricsOf } from './metrics.ts';
import { arrivalPage, monitorPage } from './page.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import { takePicture } from './picture.ts';
import { safeJson, type Viewers } from './viewers.ts';
import type { Watched } from './watched.ts';

/** What goes with each answer. */
const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const HTML = 'text/html; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** What somebody may say in a question, in bytes. */
const LONGEST_QUESTION = 1_024;

const send = (response: ServerResponse, code: number, type: string, body: string): void => {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
};

const sendJson = (response: ServerResponse, code: number, value: unknown): void =>
  send(response, code, JSON_TYPE, safeJson(value));

/** A question that can't be answered, with HTTP's number for it. */
class Unanswerable extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const parsedUrl = (url: string): URL | undefined => {
  try {
    return new URL(url, 'http://monitor');
  } catch {
    return undefined;
  }
};

/** The path of a request as the words between its slashes; `undefined` if it is none. */
const wordsOf = (pathname: string): string[] | undefined => {
  try {
    return pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    return undefined;
  }
};

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new Unanswerable(415, 'What is sent must be application/json.');
  }
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request as AsyncIterable<string>) {
    text += piece;
    if (text.length > LONGEST_QUESTION) throw new Unanswerable(413, 'That is too much for a question.');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Unanswerable(400, 'What was sent is no JSON.');
  }
};

/** What a monitor answers, once its guard lets somebody in. */
export class Routes {
  readonly #watched: Watched;
  readonly #viewers: Viewers;
  readonly #guard: Guard;
  readonly #resources: Readonly<Record<string, () => readonly [type: string, body: string]>>;

  constructor(watched: Watched, viewers: Viewers, guard: Guard) {
    this.#watched = watched;
    this.#viewers = viewers;
    this.#guard = guard;
    // Nothing is read from disk, so no path leads there.
    this.#resources = {
      '/': () => [HTML, monitorPage(watched.name)],
      '/monitor.css': () => ['text/css; charset=utf-8', PAGE_STYLE],
      '/monitor.js': () => ['text/javascript; charset=utf-8', PAGE_SCRIPT],
      '/status.json': () => [JSON_TYPE, safeJson(this.#status())],
      '/metrics': () => [METRICS_TYPE, metricsOf(watched)],
    };
  }

  /** Answers one request. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Whoever hangs up in the middle disturbs nobody.
    response.on('error', () => {});
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      if (error instanceof Unanswerable) return sendJson(response, error.code, { error: error.message });
      if (error instanceof OptionError) return sendJson(response, 400, { error: error.message });
      process.emitWarning(error instanceof Error ? error : String(error));
      sendJson(response, 500, { error: 'The job server could not do that; its program was told why.' });
    } finally {
      // What was sent and not read must not hold the connection.
      request.resume();
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const parsed = parsedUrl(url);
    const shown = parsed?.pathname === '/' ? parsed.searchParams.get('token') : null;
    const refusal = this.#guard.refusal(request, shown);
    if (refusal) return this.#refuse(response, refusal.code, refusal.why);
    const words = parsed ? wordsOf(parsed.pathname) : undefined;
    if (!parsed || !words) throw new Unanswerable(400, 'There is no such path.');
    if (method === 'POST') return this.#steer(words, request, response);
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD, POST');
      throw new Unanswerable(405, `A monitor has no answer to ${method}.`);
    }
    if (shown !== null) return this.#arrive(response);
    if (parsed.pathname === '/events' && method === 'GET') return this.#viewers.show(response);
    const resource = Object.hasOwn(this.#resources, parsed.pathname) && this.#resources[parsed.pathname];
    if (!resource) throw new Unanswerable(404, 'There is no such page.');
    send(response, 200, ...resource());
  }

  #refuse(response: ServerResponse, code: number, why: string): void {
    if (code === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    // Strangers are not kept.
    response.setHeader('Connection', 'close');
    sendJson(response, code, { error: why });
  }

  #arrive(response: ServerResponse): void {
    response.setHeader('Set-Cookie', this.#guard.cookie);
    send(response, 200, HTML, arrivalPage(this.#watched.name));
  }

  #status() {
    const picture = takePicture(this.#watched);
    const elapsed = picture.at - picture.since;
    return { ...picture, elapsed, speedUp: elapsed > 0 ? picture.totals.jobTime / elapsed : 0 };
  }

  async #steer(words: readonly string[], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [kind, name = '', what, ...more] = words;
    if (more.length === 0 && kind === 'jobs' && what === 'cancel') this.#cancel(name);
    else if (more.length === 0 && kind === 'nodes' && what !== undefined)
      await this.#steerNode(name, what, request);
    else throw new Unanswerable(404, 'There is nothing to be done there.');
    sendJson(response, 202, { ok: true });
  }

  #cancel(id: string): void {
    const is = this.#watched.cancel(id);
    if (is === 'unknown') throw new Unanswerable(404, `There is no job ${id}.`);
    if (is === 'over') throw new Unanswerable(409, `The job ${id} is over already.`);
  }

  async #steerNode(name: string, what: string, request: IncomingMessage): Promise<void> {
    const watched = this.#watched;
    if (!watched.hasNode(name)) throw new Unanswerable(404, `There is no node ${name}.`);
    switch (what) {
      case 'drain':
        return this.#begin(watched.drain(name));
      case 'resume':
        return this.#begin(watched.resume(name));
      case 'cpus': {
        const { cpus } = ((await readJson(request)) ?? {}) as { cpus?: unknown };
        if (!Number.isSafeInteger(cpus) || (cpus as number) < 0) {
          throw new Unanswerable(400, 'cpus must be a whole number from 0 up.');
        }
        return this.#begin(watched.setCpus(name, cpus as number));
      }
      default:
        throw new Unanswerable(404, `A node has drain, resume and cpus, and no ${what}.`);
    }
  }

  /** What takes long goes on after the answer: the node's state shows how far it is. */
  #begin(done: unknown): void {
    Promise.resolve(done).catch((error: unknown) =>
      process.emitWarning(error instanceof Error ? error : String(error)),
    );
  }
}
