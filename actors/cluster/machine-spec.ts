import { isIPv6 } from 'node:net';
import { OptionError } from '../../lib/wire/errors.ts';

/** How many workers a machine gets; `auto` is as many as it has cores. */
export type WorkerCount = number | 'auto';

/** A machine as `addProcs` takes it: `[count*][user@]host[:port] [bind_addr[:port]]`, or that with the count beside it. */
export type MachineTarget = string | readonly [spec: string, count: WorkerCount];

/** A machine on which workers are to be started, by ssh. */
export interface Machine {
  /** Where ssh goes, `[user@]host[:port]`. */
  readonly host: string;
  /** Where its workers let others connect, `host[:port]`, if it was said. */
  readonly bind: string | undefined;
  readonly count: WorkerCount;
}

const COUNTED = /^(?:([^\s*]*)\*)?(.*)$/s;
const ADDRESS = /^(?:([^@\s]+)@)?(\[[^\]]*\]|[^[\]:]*)(?::(.*))?$/s;

const wrong = (text: string, why: string): OptionError =>
  new OptionError(
    'machines',
    `"${text}" is no machine: ${why}. Write [user@]host[:port] [bind_addr[:port]], for instance ada@bamse:2222 10.0.0.7, and an IPv6 address in brackets.`,
  );

const checkPort = (text: string, port: string): void => {
  if (!/^-?\d+$/.test(port)) throw wrong(text, `"${port}" is no port`);
  if (Number(port) < 1 || Number(port) > 65_535) throw wrong(text, `the port ${port} is not from 1 to 65535`);
};

/** Checks `[user@]host[:port]`; gives back what it was. */
const checkAddress = (text: string, address: string, mayHaveUser: boolean): string => {
  // The one form that is not ambiguous without brackets is that of the whole word.
  if (isIPv6(address)) return `[${address}]`;
  if (address.includes('[') !== address.includes(']')) throw wrong(text, 'a bracket is missing');
  const [, user, host = '', port] = ADDRESS.exec(address) ?? [];
  if (host === '' || host.startsWith('-') || user?.startsWith('-')) throw wrong(text, 'it names no host');
  if (host.startsWith('[') && !isIPv6(host.slice(1, -1)))
    throw wrong(text, `${host} is no IPv6 address in brackets`);
  if (user !== undefined && !mayHaveUser) throw wrong(text, 'an address to bind has no user');
  if (port !== undefined) checkPort(text, port);
  return address;
};

const checkCount = (text: string, count: unknown): WorkerCount => {
  if (count === 'auto' || (Number.isInteger(count) && (count as number) >= 1)) return count as WorkerCount;
  throw wrong(text, `${String(count)} workers are neither a whole number from 1 up, nor auto`);
};

/** Reads `[count*][user@]host[:port] [bind_addr[:port]]`; throws OptionError, which quotes it. */
export const parseMachine = (text: string): Machine => {
  const [, counted, spec = ''] = COUNTED.exec(text.trim()) ?? [];
  const count =
    counted === undefined ? 1 : checkCount(text, counted === 'auto' ? counted : Number(counted || NaN));
  const [address = '', bind, ...more] = spec.trim().split(/\s+/);
  if (more.length > 0) throw wrong(text, `"${more.join(' ')}" is too much`);
  return {
    host: checkAddress(text, address, true),
    bind: bind === undefined ? undefined : checkAddress(text, bind, false),
    count,
  };
};

const sum = (one: WorkerCount, other: WorkerCount): WorkerCount =>
  one === 'auto' || other === 'auto' ? 'auto' : one + other;

/**
 * Reads what `addProcs` was given; what is named more than once gets all the workers together, where `auto`, which is
 * all cores already, swallows the rest. Throws OptionError.
 */
export const parseMachines = (targets: readonly MachineTarget[]): Machine[] => {
  const machines = new Map<string, Machine>();
  for (const target of targets) {
    const [spec, beside] = typeof target === 'string' ? [target, undefined] : target;
    if (typeof spec !== 'string') throw wrong(String(spec), 'it is not a text');
    const { count, ...parsed } = parseMachine(spec);
    const key = `${parsed.host} ${parsed.bind ?? ''}`;
    const before = machines.get(key);
    const wanted = beside === undefined ? count : checkCount(spec, beside);
    machines.set(key, { ...parsed, count: before ? sum(before.count, wanted) : wanted });
  }
  return [...machines.values()];
};

/** A machine as one line of a machine file. */
export const formatMachine = ({ host, bind, count }: Machine): string =>
  `${count === 1 ? '' : `${count}*`}${host}${bind === undefined ? '' : ` ${bind}`}`;
