import { networkInterfaces } from 'node:os';
import { type Listener, type ListenerOptions, openListener } from '../../lib/access/listener.ts';
import { type Address, chooseAddress, isWildcard } from '../../lib/cluster/direct/address.ts';
import type { CheckedDaemonOptions } from './options.ts';

/** Where a daemon listens. */
export interface Doors {
  /** What it listens on. */
  readonly listens: readonly Address[];
  /** What clients are told. */
  readonly addresses: readonly Address[];
  /** Nobody comes in any more. Never rejects. */
  close(): Promise<void>;
}

/** How often a free port is looked for that is free at all addresses. */
const TRIES = 10;

const hasSix = (): boolean =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === 'IPv6'));

/** Everywhere for those who prove who they are, and else for nobody but this host. */
const defaultHosts = (access: CheckedDaemonOptions['access']): Address[] => {
  const known = Object.values(access).some((file) => file !== undefined);
  const hosts = known ? [hasSix() ? '::' : '0.0.0.0'] : ['127.0.0.1', ...(hasSix() ? ['::1'] : [])];
  return hosts.map((host) => ({ host, port: 0 }));
};

const isTaken = (cause: unknown): boolean =>
  ((cause as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';

/** Opens all, at one port if any would do: what the first one got. */
const openAll = async (
  at: readonly Address[],
  options: Pick<ListenerOptions, 'access' | 'onVisitor'>,
): Promise<Listener[]> => {
  const open: Listener[] = [];
  try {
    for (const { host, port } of at) {
      const free = port === 0 ? (open[0]?.addresses[0]?.port ?? 0) : port;
      open.push(await openListener({ ...options, at: [{ host, port: free }] }));
    }
    return open;
  } catch (cause) {
    for (const listener of open) await listener.close();
    throw cause;
  }
};

/** Begins to listen. Rejects with OptionError, or with DoorError if the operating system does not let it. */
export const openDoors = async (
  { host, port, extIpAddr, access }: CheckedDaemonOptions,
  onVisitor: ListenerOptions['onVisitor'],
): Promise<Doors> => {
  const at = (host ?? defaultHosts(access)).map((one) => ({ host: one.host, port: one.port || port }));
  let listeners: Listener[] | undefined;
  for (let tries = 1; !listeners; tries++) {
    try {
      listeners = await openAll(at, { access, onVisitor });
    } catch (cause) {
      // The port that was free at the first address is not at another one.
      if (port > 0 || at.length === 1 || tries >= TRIES || !isTaken(cause)) throw cause;
    }
  }
  const opened = listeners;
  const listens = opened.flatMap(({ addresses }) => addresses);
  const told = listens.map((own, index): Address => {
    const outside = extIpAddr[index];
    if (outside) return { host: outside.host, port: outside.port || own.port };
    return isWildcard(own.host) ? { ...own, host: chooseAddress(own.host, networkInterfaces()) } : own;
  });
  return {
    listens,
    addresses: told,
    close: async () => {
      await Promise.all(opened.map((listener) => listener.close()));
    },
  };
};
