import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Visitor } from '../../access/visitor.ts';
import { nodeWords } from '../first-stage.ts';
import { groupGone, killGroup, signalTo } from '../process-group.ts';
import type { FromClient, Refusal, StartSite } from './messages.ts';
import { SiteChannel } from './site-channel.ts';
import { watchClient } from './watch-client.ts';

/** How long the last words may take to leave, in milliseconds. */
const LAST_WORDS_WITHIN = 1_000;
/** How long an engine may take to end after it was asked to, in milliseconds. */
const TERMINATE_WITHIN = 1_000;
/** How long the streams of a process that has ended may still carry what it said, in milliseconds. */
const DRAIN_WITHIN = 200;
/** What a client may say between his wish and his site; he has no reason to say more than a few words. */
const MOST_EARLY = 16;

/** Where and how one site runs. */
export interface SitePlace {
  /** The folder in which it starts. */
  readonly cwd: string;
  /** Its whole environment. @default the daemon's, without what tells of the login that started that */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Options of Node.js, before the client's. */
  readonly execArgv?: readonly string[];
  /** As whom it runs; only for a daemon of root. */
  readonly uid?: number;
  readonly gid?: number;
  /** Its process runs. */
  onStart?(pid: number): void;
}

/** Whether a client gets the site that he wants. */
export type Admission =
  | { readonly place: SitePlace }
  | { readonly refused: { readonly why: Refusal; readonly what: string; readonly remedy: string } };

/** How a visitor is served. */
export interface ServeSiteOptions {
  /** Finds a place for his site; `signal` is aborted when he has gone. May take as long as he is ready to wait. */
  readonly admit: (start: StartSite, signal: AbortSignal) => Promise<Admission>;
  /** Ends the site in order. */
  readonly signal: AbortSignal;
  /** Ends it at once. */
  readonly kill: AbortSignal;
  /** How long he may take to say what he wants, in milliseconds. */
  readonly messageTimeout: number;
  /** He who gives no sign of life for so long has gone, in milliseconds. */
  readonly lease: number;
}

type Engine = ChildProcess & { readonly pid: number };

const whenAborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : once(signal, 'abort').then(() => {});

/** The daemon's environment, without what a site should not take for its own: that the daemon was started by a login. */
export const ownEnvironment = (): NodeJS.ProcessEnv => {
  const { SSH_CONNECTION, SSH_CLIENT, SSH_TTY, ...env } = process.env;
  return env;
};

const asked = async (
  channel: SiteChannel<'client'>,
  stopped: AbortSignal,
  within: number,
): Promise<StartSite | undefined> => {
  const done = new AbortController();
  const late = setTimeout(() => done.abort(), within);
  const said = new Promise<FromClient>((resolve) => {
    channel.listen(resolve);
  });
  const message = await Promise.race([
    said,
    channel.closed.then(() => undefined),
    whenAborted(AbortSignal.any([done.signal, stopped])).then(() => undefined),
  ]);
  clearTimeout(late);
  return message && 'start' in message ? message.start : undefined;
};

const start = async ({ engine, execArgv, nodePath, bridge = false }: StartSite, place: SitePlace) => {
  const options = [...(place.execArgv ?? []), ...execArgv];
  const [file, ...args] = nodeWords(
    { ...engine, execArgv: options, bridge },
    nodePath ?? process.execPath,
    true,
  );
  const child = spawn(file!, args, {
    cwd: place.cwd,
    env: { ...(place.env ?? ownEnvironment()) },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    // One group of all that the site starts.
    detached: true,
    ...(place.uid !== undefined && { uid: place.uid }),
    ...(place.gid !== undefined && { gid: place.gid }),
  });
  if (child.pid === undefined) throw ((await once(child, 'error')) as [Error])[0];
  for (const stream of child.stdio) stream?.on('error', () => {});
  return child as Engine;
};

/** Resolves when a process has ended and its streams have been read, as far as they end in time. */
const endOf = (child: Engine): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> =>
  new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      const done = () => resolve({ exitCode, signal });
      const late = setTimeout(done, DRAIN_WITHIN);
      child.once('close', () => {
        clearTimeout(late);
        done();
      });
    });
  });

/**
 * Does what a daemon does for one visitor: starts the engine that he wants, hands the bytes of both on to each other
 * without a look at them, and ends the engine and all of its group when he has gone. Resolves when neither is left; never
 * rejects.
 */
export const serveSite = async (visitor: Visitor, options: ServeSiteOptions): Promise<void> => {
  const channel = new SiteChannel<'client'>(visitor.socket);
  try {
    const wish = await asked(channel, options.signal, options.messageTimeout);
    if (!wish) return;
    const gone = new AbortController();
    void channel.closed.then(() => gone.abort());
    // He may give up, or say what he will say only to a site.
    const early: FromClient[] = [];
    channel.listen((message) => {
      if (early.push(message) > MOST_EARLY) channel.drop();
    });
    const admission = await options.admit(wish, gone.signal);
    if ('refused' in admission) {
      channel.say({ refused: admission.refused });
      await channel.end(LAST_WORDS_WITHIN);
      return;
    }
    if (channel.over) return;
    const { place } = admission;
    let child: Engine;
    try {
      child = await start(wish, place);
    } catch (cause) {
      const what = `its process could not be started (${(cause as Error).message}).`;
      const remedy = 'See whether Node.js can be run by the user of the daemon, and the option nodePath.';
      channel.say({ refused: { why: 'failed', what, remedy } });
      await channel.end(LAST_WORDS_WITHIN);
      return;
    }
    place.onStart?.(child.pid);
    await relay(channel, child, { wish, visitor, early, ...options });
  } finally {
    channel.drop();
  }
};

interface Relayed extends ServeSiteOptions {
  readonly wish: StartSite;
  readonly visitor: Visitor;
  /** What he has said since he asked. */
  readonly early: readonly FromClient[];
}

const relay = async (
  channel: SiteChannel<'client'>,
  child: Engine,
  { wish, visitor, early, signal, kill, lease }: Relayed,
): Promise<void> => {
  const { pid } = child;
  const [, stdout, stderr, input, output] = child.stdio as unknown as [
    null,
    Readable,
    Readable,
    Writable,
    Readable,
  ];
  const exited = endOf(child);
  // Lines of the engine's real output and error, and its signs of life.
  for (const stream of [stdout, stderr]) {
    const decoder = new StringDecoder('utf8');
    stream.on('data', (chunk: Buffer) => {
      const { full } = channel;
      // Who prints is held up by his pipe, so that what the client does not read does not gather here.
      if (full) stream.pause();
      channel.say({ noise: decoder.write(chunk) }, full ? () => stream.resume() : undefined);
    });
  }
  channel.say({ spawned: { pid } });
  output.pipe(channel.bytes, { end: false });
  channel.bytes.pipe(input);
  const onSaid = (message: FromClient) => {
    if ('signal' in message) killGroup(pid, message.signal);
    else if ('end' in message) channel.endBytes();
    else channel.drop();
  };
  for (const message of early) onSaid(message);
  channel.listen(onSaid);
  const watch = watchClient(channel, visitor.ends, { lease, endAfter: wish.endAfter ?? Infinity });
  const over = new AbortController();
  const until = <T>(happens: Promise<T>, act: () => void) =>
    void Promise.race([happens, exited]).then(() => {
      if (!over.signal.aborted) act();
    });
  until(whenAborted(signal), () => void terminate(child, exited));
  until(whenAborted(kill), () => killGroup(pid, 'SIGKILL'));
  try {
    const how = await Promise.race([exited, channel.closed.then(() => undefined)]);
    over.abort();
    if (how) {
      // All that it wrote comes first, as long as anybody reads it.
      const sent = new Promise<void>((resolve) => channel.bytes.end(resolve));
      await Promise.race([sent, channel.closed]);
      channel.say({ exit: how });
      signalTo(-pid, 'SIGKILL');
      await groupGone(pid);
      await channel.end(LAST_WORDS_WITHIN);
    } else {
      // An engine learns by the end of its input that its client has gone.
      input.destroy();
      await terminate(child, exited, () => {});
      signalTo(-pid, 'SIGKILL');
      await groupGone(pid);
    }
  } finally {
    over.abort();
    clearInterval(watch);
  }
};

/** Ends an engine: by asking, and by force if it does not end in time. */
const terminate = async (
  { pid }: Engine,
  exited: Promise<unknown>,
  ask = () => killGroup(pid, 'SIGTERM'),
): Promise<void> => {
  const late = setTimeout(() => killGroup(pid, 'SIGKILL'), TERMINATE_WITHIN);
  ask();
  await exited;
  clearTimeout(late);
};
