import { pathToFileURL } from 'node:url';

/** How long `close()` may take when a site is ended by a signal, in milliseconds. */
const CLOSE_WITHIN = 800;

/**
 * The text of a module for `--import` that runs `init()` of a module before anything else, and `close()` once, when the
 * site ends in order or by SIGTERM. What the site starts is no site, so the options that led to this are taken out of
 * what it would inherit.
 */
export const initModuleText = (path: string): string => `
import { isMainThread } from 'node:worker_threads';
if (isMainThread) {
  const own = process.execArgv.findIndex((word) => word.startsWith('--import') && word.includes(import.meta.url));
  if (own >= 0) process.execArgv.splice(own, 1);
  const { init, close } = await import(${JSON.stringify(pathToFileURL(path).href)});
  await init?.();
  if (close) {
    let closing;
    const closeOnce = () => (closing ??= Promise.resolve().then(close).catch((cause) => console.error(cause)));
    // Where the engine looks for what it has to end before itself; see lib/engine/closers.ts.
    (globalThis[Symbol.for('offsite.closers')] ??= new Set()).add(closeOnce);
    process.once('SIGTERM', async () => {
      await Promise.race([closeOnce(), new Promise((resolve) => setTimeout(resolve, ${CLOSE_WITHIN}))]);
      process.kill(process.pid, 'SIGTERM');
    });
  }
}
`;
