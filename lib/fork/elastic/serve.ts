import { setTimeout as delay } from 'node:timers/promises';
import { MAX_FRAME } from '../../wire/frame/frame.ts';
import { roomFor } from '../../wire/link/websocket-link.ts';
import type { ForkedSite, ForkRequest, SiteDeath } from '../fork-method.ts';
import { sh } from '../sh.ts';
import { CutOff } from './cut-off.ts';
import type { LetIn } from './dial-in.ts';
import type { Start } from './messages.ts';
import { pump } from './pump.ts';

/** How long the last words may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;
/** How long an engine may take to end after it was asked to by a signal, in milliseconds. */
const TERMINATE_FOR = 1_000;

/** How a site's membership in a cluster came to its end. */
export type Ended =
  /** The cluster removed it, or was closed. */
  | { readonly how: 'removed' }
  /** The program it had joined is gone, or the way there is. */
  | { readonly how: 'lost'; readonly cause?: Error }
  /** Its engine died by itself. */
  | { readonly how: 'died'; readonly death: SiteDeath }
  /** Its engine could not be started. */
  | { readonly how: 'failed'; readonly failure: Error };

/** What is told of a site that serves. */
export interface ServeEvents {
  /** It runs, under the name that the cluster gave it. */
  readonly onStart?: (name: string, pid: number) => void;
}

const whenStopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/**
 * Waits until the cluster wants the site, starts its engine, and is the way between both until one of them ends; then
 * neither is left. This process has nothing else to do, so it answers, and ends the engine, however busy that is. Never
 * rejects.
 */
export const serve = async (
  { channel, ends }: LetIn,
  signal: AbortSignal,
  { onStart }: ServeEvents = {},
): Promise<Ended> => {
  const asked = new AbortController();
  const stop = () => asked.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const start = await Promise.race([
      new Promise<Start>((resolve) => {
        channel.listen((message) => ('start' in message ? resolve(message.start) : channel.drop()));
      }),
      channel.closed.then((cause) => ({ cause })),
      whenStopped(asked.signal).then(() => ({ cause: undefined })),
    ]);
    if ('cause' in start) return { how: 'lost', ...(start.cause && { cause: start.cause }) };
    return await run({ channel, ends }, start, asked.signal, onStart);
  } finally {
    signal.removeEventListener('abort', stop);
    channel.drop();
  }
};

const run = async (
  { channel, ends }: LetIn,
  { name, execArgv, heartbeat, endAfter = Infinity, timeout }: Start,
  stopped: AbortSignal,
  onStart: ServeEvents['onStart'],
): Promise<Ended> => {
  const giveUp = new AbortController();
  let gone = false;
  const lost = channel.closed.then((cause): Ended => {
    gone = true;
    giveUp.abort(new Error('The program that was joined is gone.'));
    return { how: 'lost', ...(cause && { cause }) };
  });
  let ending = false;
  let engine: ForkedSite | undefined;
  channel.listen((message) => {
    if (!('signal' in message)) return channel.drop();
    ending = true;
    void engine?.kill(message.signal);
  });
  const request: ForkRequest = {
    host: 'localhost',
    name,
    detach: false,
    execArgv,
    engine: 'travel',
    sshOptions: [],
    timeout,
    unreachableTimeout: Infinity,
    signal: giveUp.signal,
    onLine: (line) => channel.say({ line }),
  };
  try {
    engine = await sh(request);
  } catch (failure) {
    if (gone) return lost;
    const { message, remedy = 'See what it says over there.' } = failure as Error & { remedy?: string };
    const what = message.replace(/^.*? could not be started: /, '').replace(` ${remedy}`, '');
    channel.say({ failed: { what, remedy } });
    await channel.end(LAST_WORDS_WITHIN);
    return { how: 'failed', failure: failure as Error };
  }
  const forked = engine;
  if (gone || stopped.aborted) {
    await endEngine(forked);
    channel.drop();
    return lost;
  }
  const remote = channel.link(roomFor(MAX_FRAME));
  const over = pump(forked.link, remote);
  channel.say({ started: { pid: forked.pid } });
  onStart?.(name, forked.pid);
  // Whoever stops this process ends its site in order, and the cluster learns of it.
  void whenStopped(stopped).then(async () => {
    ending = true;
    await terminate(forked);
  });
  const cutOff = new CutOff(ends);
  let heard = 0;
  const beats = setInterval(() => {
    const at = forked.heardAt!();
    // An engine that was stopped says nothing, and so nothing is said for it.
    if (at > heard) channel.ping();
    heard = at;
    if (endAfter !== Infinity && cutOff.look() >= endAfter) {
      channel.drop(new Error(`The program that was joined did not acknowledge anything for ${endAfter} ms.`));
    }
  }, heartbeat);
  try {
    const ended = await Promise.race([
      lost,
      forked.exited.then((death): Ended => {
        const inOrder = ending || (death.exitCode === 0 && !gone);
        return inOrder ? { how: 'removed' } : { how: 'died', death };
      }),
    ]);
    if (ended.how === 'lost') await endEngine(forked);
    else {
      // All that it said comes first.
      await Promise.race([over, delay(LAST_WORDS_WITHIN)]);
      const { exitCode, signal } = await forked.exited;
      channel.say({ exit: { exitCode, signal } });
      await forked.sweep();
      await channel.end(LAST_WORDS_WITHIN);
    }
    return ended;
  } finally {
    clearInterval(beats);
    forked.link.destroy();
  }
};

/** Ends an engine whose program is gone: by its link, which is how it learns that, and at last by force. */
const endEngine = async (forked: ForkedSite): Promise<void> => {
  forked.link.destroy();
  await within(forked, () => {});
  await forked.sweep();
};

/** Has the operating system end an engine, by force if it does not end in time. */
const terminate = (forked: ForkedSite): Promise<void> => within(forked, () => void forked.kill('SIGTERM'));

const within = async (forked: ForkedSite, ask: () => void): Promise<void> => {
  const late = setTimeout(() => void forked.kill('SIGKILL'), TERMINATE_FOR);
  ask();
  await forked.exited;
  clearTimeout(late);
};
