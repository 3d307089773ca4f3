import { hostname } from 'node:os';
import { OptionError } from '../wire/errors.ts';

/** A host as it is written: `[user@]host[:port]`, an IPv6 address with a port in brackets. */
export interface Host {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

const BRACKETED = /^(?:([^@\s]+)@)?\[([^\]]+)\](?::(\d+))?$/;
const PLAIN = /^(?:([^@\s]+)@)?([^:@\s[\]]+)(?::(\d+))?$/;
const BARE_IPV6 = /^(?:([^@\s]+)@)?([0-9a-f:]+:[0-9a-f:]*)$/i;

/** Reads a host; throws OptionError. A name that begins with a dash would be taken for an option by commands. */
export const parseHost = (text: string): Host => {
  const found = BRACKETED.exec(text) ?? PLAIN.exec(text) ?? BARE_IPV6.exec(text);
  const [, user, host, port] = found ?? [];
  if (!host || host.startsWith('-') || user?.startsWith('-') || (port && Number(port) > 65535)) {
    throw new OptionError(
      'host',
      `"${text}" is no host; write it as [user@]host[:port], for instance ada@bamse:2222.`,
    );
  }
  return { user, host, port: port === undefined ? undefined : Number(port) };
};

/** Whether a host is the one that this runs on, under one of the names that are certain. */
export const isThisHost = (host: string): boolean =>
  ['localhost', '127.0.0.1', '::1', hostname().toLowerCase()].includes(host.toLowerCase());
