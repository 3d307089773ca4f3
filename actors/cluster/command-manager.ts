import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import * as v from 'valibot';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import { checked, count, words } from './check.ts';
import type { ClusterManager, WorkerConfig } from './manager.ts';

/** Which workers a command leads to. */
export interface CommandManagerOptions {
  /** How many, for each host. @default 1 */
  count?: number;
  /** What `{host}` in its words means, in turns. @default one, 'localhost' */
  hosts?: readonly string[];
  /** What their sites are told beside, for instance their `execArgv`. @default nothing */
  site?: RemoteManagerOptions;
  /** How many may start at once on one host. @default no bound */
  maxParallel?: number;
}

const schema = v.strictObject({
  count: v.optional(count(), 1),
  hosts: v.optional(
    v.pipe(words(), v.minLength(1, 'must name one'), v.everyItem(Boolean, 'must be names')),
    () => ['localhost'],
  ),
  // Checked by each worker's RemoteManager.
  site: v.optional(v.looseObject({}), {}),
  maxParallel: v.optional(count()),
});

const commandSchema = v.strictObject({
  words: v.pipe(words(), v.minLength(1, 'must begin with a command')),
});

/**
 * Starts workers by any command that runs a command elsewhere, as `kubectl exec`; `{host}` in its words is the host's
 * name, and `{id}` eight letters and digits that no other worker has. Throws OptionError.
 */
export class CommandManager implements ClusterManager {
  readonly maxParallel?: number;
  readonly #words: readonly string[];
  readonly #options: v.InferOutput<typeof schema>;

  constructor(command: readonly string[], options: CommandManagerOptions = {}) {
    ({ words: this.#words } = checked(commandSchema, { words: command }, 'a CommandManager'));
    this.#options = checked(schema, options, 'a CommandManager');
    if (this.#options.maxParallel !== undefined) this.maxParallel = this.#options.maxParallel;
  }

  *launch(): Iterable<WorkerConfig> {
    const { count: each, hosts, site } = this.#options;
    for (let at = 0; at < each; at++) {
      for (const host of hosts) {
        const id = randomUUID().slice(0, 8);
        const fork = this.#words.map((word) => word.replaceAll('{id}', id));
        yield { site: { ...site, host, fork } };
      }
    }
  }

  toString(): string {
    return `CommandManager(${this.#words.join(' ')})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
