import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AccessFiles, Credentials, Domain } from '../../lib/access/credentials.ts';
import { type Dialled, dial } from '../../lib/access/dial.ts';
import { keyLine, newKey } from '../../lib/access/key-file.ts';
import { type Listener, type ListenerOptions, openListener } from '../../lib/access/listener.ts';
import type { Visitor } from '../../lib/access/visitor.ts';
import type { Address } from '../../lib/cluster/direct/address.ts';

/** A folder that is gone when the test ends. */
export const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'offsite-access-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

/** A file of some text. */
export const fileOf = (text: string, mode = 0o600, name = 'file'): string => {
  const file = join(folder(), name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

/** The line of a new key. */
export const lineOf = (user: string, domain: Domain = 'use'): string => `${keyLine(newKey(user, domain))}\n`;

/** A listener that keeps what it lets in. */
export interface Entrance {
  readonly listener: Listener;
  readonly address: Address;
  readonly visitors: Visitor[];
  /** Resolves when so many have come in. */
  visitor(): Promise<Visitor>;
}

/** Opens one on loopback; it is closed, and who is in sent away, when the test ends. */
export const open = async (
  access: AccessFiles,
  { host = '127.0.0.1', ...more }: Partial<ListenerOptions> & { host?: string } = {},
): Promise<Entrance> => {
  const visitors: Visitor[] = [];
  let tell: ((visitor: Visitor) => void)[] = [];
  const onVisitor = (visitor: Visitor) => {
    visitor.socket.on('error', () => {});
    visitors.push(visitor);
    for (const one of tell) one(visitor);
    tell = [];
  };
  const listener = await openListener({ at: [{ host, port: 0 }], access, onVisitor, ...more });
  onTestFinished(async () => {
    await listener.close();
    for (const { socket } of visitors) socket.terminate();
  });
  const [address] = listener.addresses as [Address];
  return { listener, address, visitors, visitor: () => new Promise((resolve) => tell.push(resolve)) };
};

/** Dials, and gives the connection up when the test ends. */
export const come = async (
  address: Address,
  credentials: Credentials,
  more: { path?: string; timeout?: number; signal?: AbortSignal } = {},
): Promise<Dialled> => {
  const dialled = await dial(address, { path: '/site', timeout: 15_000, credentials, ...more });
  dialled.socket.on('error', () => {});
  onTestFinished(() => dialled.socket.terminate());
  return dialled;
};

/** What an attempt was refused with. */
export const refusal = async (
  address: Address,
  credentials: Credentials,
  more: { path?: string; timeout?: number } = {},
): Promise<{ code: string; message: string }> => {
  try {
    await come(address, credentials, more);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('It was let in.');
};

/** Who dials, in the table of connections of a host, may be nobody's by default: no key of the developer is taken. */
export const NO_KEYS = { XDG_CONFIG_HOME: '/nonexistent', OFFSITE_SECRET_FILE: undefined } as const;

/** An authority, and certificates that come from it, made by openssl as docs/access.md says. */
export const certificates = (
  ...names: readonly { name: string; subject: string; server?: boolean; days?: number }[]
): { ca: string; of: (name: string) => { certfile: string; keyfile: string } } => {
  const path = folder();
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: path, stdio: 'pipe' });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', '/CN=ca');
  for (const { name, subject, server = false } of names) {
    openssl('req', '-new', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    const extensions = server
      ? 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n'
      : 'extendedKeyUsage=clientAuth\n';
    writeFileSync(join(path, `${name}.ext`), extensions);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '30', '-out', `${name}.pem`);
  }
  return {
    ca: join(path, 'ca.pem'),
    of: (name) => ({ certfile: join(path, `${name}.pem`), keyfile: join(path, `${name}.key`) }),
  };
};

/** Connects, says something, answers what comes, and waits for the end; gives what the other side said. */
export const attack = (
  { host, port }: Address,
  say: Uint8Array,
  answer?: (socket: Socket, chunk: Buffer) => void,
): Promise<Buffer> =>
  new Promise((resolve) => {
    const heard: Buffer[] = [];
    const socket = connect({ host, port }, () => socket.write(say));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk);
      answer?.(socket, chunk);
    });
    socket.on('close', () => resolve(Buffer.concat(heard)));
  });
