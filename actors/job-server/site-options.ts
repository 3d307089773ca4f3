import type { AttachOptions, RemoteManagerOptions } from '../remote-manager.ts';
import type { KeptServer } from './journal/types.ts';
import type { CheckedJobServerOptions, CheckedServer } from './options.ts';

type Shared = Pick<CheckedJobServerOptions, 'stdout' | 'stderr' | 'credentials' | 'servers'>;

const leading = (server: CheckedServer, { stdout, stderr, credentials }: Shared) => ({
  stdout,
  stderr,
  ...(server.fork === 'daemon' && credentials && { credentials }),
  ...server.site,
  fork: server.fork,
  ...(server.host !== undefined && { host: server.host }),
});

/** How sites on a server are started. */
export const startOptions = (server: CheckedServer, shared: Shared): RemoteManagerOptions =>
  leading(server, shared);

/** How a site is attached that an earlier process has left on a server, with what this process knows of that. */
export const attachOptions = (kept: KeptServer | undefined, shared: Shared): AttachOptions => {
  const { stdout, stderr, servers } = shared;
  if (!kept) return { stdout, stderr };
  const { text, daemon } = kept;
  const found = { host: text, fork: 'daemon', labels: {}, text } as const;
  const server = servers.find((each) => each.text === text) ?? (daemon ? found : undefined);
  // A ticket that leads there by itself does so.
  if (!server) return { stdout, stderr };
  // A site that runs keeps these.
  const { cwd, env, execArgv, heartbeat, unreachableTimeout, resourceLimits, ...options } = leading(
    server,
    shared,
  ) as RemoteManagerOptions;
  return options;
};
