import type { RemoteManagerOptions } from '../../../actors/remote-manager/options.ts';
import { RemoteManager } from '../../../actors/remote-manager.ts';
import { SiteClosedError, SiteCrashedError } from '../../wire/errors.ts';
import { UsageError } from '../report.ts';
import type { MapSite, StartSite } from './run.ts';
import type { Target } from './target.ts';

/** How the sites of a run are made. */
export interface SitePlan {
  readonly target: Target;
  readonly fork: string | undefined;
  /** Takes what user code prints, and what becomes of sites. */
  readonly log: (line: string) => void;
  readonly verbose: boolean;
}

type Callable = (input: string) => Promise<unknown>;

/** What a site that could not be used may take to close, in milliseconds; after that it is ended by force. */
const ABANDON_MS = 500;

/** Makes what starts the sites of a run: each with its own manager, and the module loaded before it is used. */
export const siteStarter =
  ({ target, fork, log, verbose }: SitePlan): StartSite =>
  async (host, signal) => {
    // Results have the standard output for themselves: what the function prints goes to the log.
    const print = (line: string) => log(`${manager.name}: ${line}`);
    const options: RemoteManagerOptions = { host, signal, stdout: print, stderr: print };
    if (fork !== undefined) options.fork = fork;
    const manager = new RemoteManager(options);
    try {
      await manager.ready;
      const label = `site ${manager.name}${manager.pid === undefined ? '' : ` (pid ${manager.pid})`}`;
      const module = await manager.link<Record<string, unknown>>(target.module);
      const call = await functionOf(module, target);
      if (verbose) log(`offsite: ${label} ready`);
      return siteOf(manager, label, call);
    } catch (error) {
      await manager.close({ timeout: ABANDON_MS });
      throw error;
    }
  };

const functionOf = async (module: object, { module: name, path }: Target): Promise<Callable> => {
  let found: unknown = module;
  for (const key of path) found = (found as Record<string, unknown>)[key];
  // Looked at once now, so that a misspelt name is one error and not one for each input. What is called later
  // is the path from its module, which keeps `this`.
  if (typeof (await found) === 'function') {
    const remote = found as Callable;
    // Wrapped, as a promise would follow what is awaitable itself.
    return (input) => remote(input);
  }
  throw new UsageError(
    `The module ${name} exports no function ${path.join('.')}.`,
    'Name one that it exports',
  );
};

const siteOf = (manager: RemoteManager, label: string, call: Callable): MapSite => {
  let lost = false;
  return {
    label,
    dead: () => lost || manager.state === 'crashed' || manager.state === 'closed',
    call: async (input) => {
      try {
        return await call(input);
      } catch (error) {
        // The error can be here before the manager has learnt of the exit that explains it.
        lost ||= error instanceof SiteCrashedError || error instanceof SiteClosedError;
        throw error;
      }
    },
    close: (within) => manager.close({ timeout: within }),
  };
};
