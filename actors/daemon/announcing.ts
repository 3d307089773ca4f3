import { isLoopback } from '../../lib/access/same-user.ts';
import { VERSION } from '../../lib/daemon/version.ts';
import type { Announcement } from '../../lib/discovery/announce.ts';
import type { Doors } from './doors.ts';
import type { CheckedDaemonOptions } from './options.ts';

/**
 * Announces a daemon in its networks, until what it resolves to is closed; nothing if it listens on loopback only, where
 * nobody else could come in. `tell` is told of each interface on which it can't be. Never rejects.
 */
export const announceDaemon = async (
  { name, extIpAddr, access }: CheckedDaemonOptions,
  { listens, addresses }: Pick<Doors, 'listens' | 'addresses'>,
  tell: (trouble: unknown) => void,
): Promise<Announcement | undefined> => {
  const isSecured = Object.values(access).some((file) => file !== undefined);
  if (!isSecured || listens.every(({ host }) => isLoopback(host))) return undefined;
  try {
    // Loaded late: a daemon of loopback needs none of it.
    const { announce } = await import('../../lib/discovery/announce.ts');
    const [{ port }] = addresses as [Doors['addresses'][number]];
    // What clients are told is one address of a wildcard; here all are, each in its own network.
    const told = listens.map((own, index) => (extIpAddr[index] ? addresses[index]! : own));
    const hosts = told.filter((each) => each.port === port).map(({ host }) => host);
    const announcement = await announce({ name, port, addresses: hosts, version: VERSION, secured: true });
    for (const { error } of announcement.on) if (error) tell(error);
    return announcement;
  } catch (cause) {
    tell(cause);
    return undefined;
  }
};
