import { register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import type { SourceService } from '../module/source.ts';

/** Runs in Node's loader thread, from its source text: asks the engine's thread for the JavaScript of a .ts file. */
const hooks = `
let port, last = 0;
const waiting = new Map();
export const initialize = (data) => {
  port = data.port;
  port.on('message', ({ id, ...answer }) => { waiting.get(id)(answer); waiting.delete(id); });
  port.unref();
};
export const load = async (url, context, next) => {
  if (!/^file:[^?#]*\\.[mc]?ts(?:$|[?#])/.test(url)) return next(url, context);
  const id = ++last;
  port.ref();
  const answer = await new Promise((resolve) => { waiting.set(id, resolve); port.postMessage({ id, url }); });
  if (waiting.size === 0) port.unref();
  if (answer.failure) throw Object.assign(new SyntaxError(answer.failure), { code: answer.code });
  return { format: answer.format, source: answer.source, shortCircuit: true };
};`;

let understood = false;

/**
 * Lets this site load TypeScript where its Node.js does not by itself (before 22.18), with the types stripped by
 * the manager, so that the engine stays small.
 */
export const understandTypeScript = (parent: SourceService): void => {
  if (understood || (process.features as { typescript?: unknown }).typescript) return;
  understood = true;
  const { port1: ours, port2: theirs } = new MessageChannel();
  ours.on('message', async ({ id, url }: { id: number; url: string }) => {
    try {
      ours.postMessage({ id, ...(await parent.source(url)) });
    } catch (cause) {
      const { message, code } = cause as Error & { code?: string };
      ours.postMessage({ id, failure: message, code });
    }
  });
  ours.unref();
  register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
    data: { port: theirs },
    transferList: [theirs],
  });
};
