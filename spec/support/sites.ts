import { afterAll, afterEach } from 'vitest';
import { RemoteManager, type RemoteManagerOptions } from '../../lib/index.ts';

/** Where the fixtures are, as a base for links and functor imports. */
export const FIXTURES = new URL('./fixtures/', import.meta.url);

/** The URL of one fixture. */
export function fixture(name: string): URL {
  return new URL(name, FIXTURES);
}

/** The types of the fixtures that specs link. */
export type Calc = typeof import('./fixtures/calc.js');
export type Misbehave = typeof import('./fixtures/misbehave.js');

const tracked = new Set<RemoteManager>();

/** Notes a manager, so that `closeTracked` ends it even when its test fails half-way. */
export function track(manager: RemoteManager): RemoteManager {
  tracked.add(manager);
  // A spec that expects the fork to fail looks at `ready` itself; the others fail at their first call.
  manager.ready.catch(() => {});
  return manager;
}

/** Closes every tracked manager. */
export async function closeTracked(): Promise<void> {
  const managers = [...tracked];
  tracked.clear();
  await Promise.all(managers.map((manager) => manager.close({ timeout: 2_000 })));
}

/** What the cases of the conformance suite work with. */
export interface Bench {
  /** The fork method is a worker thread: it shares this process's pid, descriptors and cwd. */
  readonly virtual: boolean;
  /** The site that the cases which do it no harm share; forked at first use, closed after the last. */
  site(): RemoteManager;
  /** A site of the case's own, closed after it. */
  fork(options?: RemoteManagerOptions): RemoteManager;
}

/** Makes a bench inside a `describe`; its hooks close what was forked. */
export function makeBench(options: () => RemoteManagerOptions): Bench {
  let shared: RemoteManager | undefined;
  afterEach(closeTracked);
  afterAll(async () => {
    await shared?.close({ timeout: 2_000 });
    shared = undefined;
  });
  return {
    get virtual() {
      return options().fork === 'virtual';
    },
    site() {
      shared ??= new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options() });
      return shared;
    },
    fork(more = {}) {
      return track(new RemoteManager({ stdout: 'ignore', stderr: 'ignore', ...options(), ...more }));
    },
  };
}

/** Collects lines as an output sink does, and lets a test wait for one. */
export class LineBox {
  readonly lines: string[] = [];
  #waiting: { wanted: (line: string) => boolean; found: (line: string) => void }[] = [];

  /** The callback to give as `stdout` or `stderr`. */
  readonly sink = (line: string): void => {
    this.lines.push(line);
    for (const waiter of this.#waiting) if (waiter.wanted(line)) waiter.found(line);
  };

  /** Resolves to the first line, past or future, that contains the text. */
  async line(text: string): Promise<string> {
    const wanted = (line: string): boolean => line.includes(text);
    return (
      this.lines.find(wanted) ??
      (await new Promise<string>((found) => {
        this.#waiting.push({ wanted, found });
      }))
    );
  }
}

/** The error a promise rejects with, typed for looking into; throws when it resolves instead. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error(`A rejection was expected, but it resolved to ${String(value)}.`);
}
