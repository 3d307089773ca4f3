import { availableParallelism } from 'node:os';
import { inspect } from 'node:util';
import { OptionError } from '../../lib/wire/errors.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import { type AddProcsOptions, checkAddProcs, outwardAddress, siteOptionsOf } from './add-procs-options.ts';
import type { WorkerCount } from './machine-spec.ts';
import type { ClusterManager, WorkerConfig } from './manager.ts';

/** Starts workers on this host, as many as it has cores if that is `auto`. Throws OptionError. */
export class LocalManager implements ClusterManager {
  readonly #count: number;
  readonly #config: WorkerConfig;

  constructor(count: WorkerCount = 'auto', options: AddProcsOptions = {}) {
    if (count !== 'auto' && !(Number.isInteger(count) && count >= 1)) {
      throw new OptionError('count', `${count} workers are neither a whole number from 1 up, nor 'auto'.`);
    }
    const { fork = 'sh', resourceLimits, restrict } = checkAddProcs('local', options);
    this.#count = count === 'auto' ? availableParallelism() : count;
    const site: RemoteManagerOptions = {
      ...siteOptionsOf(options),
      fork,
      ...(resourceLimits !== undefined && { resourceLimits }),
    };
    this.#config = { site, ...(!restrict && { bind: outwardAddress() }) };
  }

  *launch(): Iterable<WorkerConfig> {
    for (let at = 0; at < this.#count; at++) yield { ...this.#config };
  }

  /** As Julia prints it. */
  toString(): string {
    return 'LocalManager()';
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
