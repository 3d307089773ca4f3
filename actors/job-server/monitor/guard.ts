import { createHash, randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Why a request is not answered, in HTTP's number and a sentence. */
export interface Refusal {
  readonly code: 401 | 403 | 421;
  readonly why: string;
}

/** What a monitor lets in. */
export interface GuardOptions {
  readonly token: string;
  /** Names by which it is reached, beside addresses and `localhost`. */
  readonly hostnames: readonly string[];
  /** Its certificate (PEM), if it is reached by https. */
  readonly certificate: string | undefined;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The name in a Host header without its port; `undefined` if there is none. */
const nameIn = (host: string): string | undefined => {
  const [, six, name] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(host) ?? [];
  if (six !== undefined) return isIP(six) === 6 ? six : undefined;
  return name?.toLowerCase().replace(/\.$/, '');
};

/** Decides who may come in, and from which pages. It keeps no more of the token than its hash. */
export class Guard {
  readonly #token: Buffer;
  /** What a browser has in place of the token; it is worth nothing after this monitor. */
  readonly #session = randomBytes(32).toString('base64url');
  readonly #sessionDigest = digest(this.#session);
  readonly #hostnames: ReadonlySet<string>;
  readonly #certificate: X509Certificate | undefined;
  #cookie = '';

  constructor({ token, hostnames, certificate }: GuardOptions) {
    this.#token = digest(token);
    this.#hostnames = new Set(['localhost', ...hostnames.map((name) => name.toLowerCase())]);
    this.#certificate = certificate === undefined ? undefined : new X509Certificate(certificate);
  }

  /** Says where it listens: a browser shows a cookie to all ports of a host, so its name tells whose it is. */
  listensAt(port: number): void {
    // Browsers take a cookie of this prefix only from this host itself and by https.
    this.#cookie = `${this.#certificate ? '__Host-' : ''}offsite-monitor-${port}`;
  }

  /** What sets the cookie in a browser that has shown the token. */
  get cookie(): string {
    const secure = this.#certificate ? '; Secure' : '';
    return `${this.#cookie}=${this.#session}; Path=/; HttpOnly; SameSite=Strict${secure}`;
  }

  /** Whether it is the token; takes the same time whatever is wrong. */
  isToken(text: string): boolean {
    return timingSafeEqual(digest(text), this.#token);
  }

  /** Why a request is not to be answered; `undefined` if it is. `shown` is the token in its URL. */
  refusal(request: IncomingMessage, shown: string | null): Refusal | undefined {
    return this.#host(request) ?? this.#visitor(request, shown) ?? this.#origin(request);
  }

  /**
   * A page of a stranger whose name was made to lead to this address (DNS rebinding) says that name here. An address
   * can't be made to lead elsewhere, so each of those is right.
   */
  #host({ headers: { host = '' } }: IncomingMessage): Refusal | undefined {
    const name = nameIn(host);
    if (name !== undefined) {
      if (isIP(name) !== 0 || this.#hostnames.has(name)) return undefined;
      if (this.#certificate?.checkHost(name) !== undefined) return undefined;
    }
    const why =
      'This monitor is not known by that name: use its address, or give the name in the option hostnames.';
    return { code: 421, why };
  }

  #visitor(
    { headers: { authorization, cookie = '' } }: IncomingMessage,
    shown: string | null,
  ): Refusal | undefined {
    const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    if (bearer !== undefined && this.isToken(bearer)) return undefined;
    if (shown !== null && this.isToken(shown)) return undefined;
    for (const pair of cookie.split(';')) {
      const [name, value = ''] = pair.trim().split('=');
      if (name === this.#cookie && timingSafeEqual(digest(value), this.#sessionDigest)) return undefined;
    }
    const how = 'Open the URL that the job server gave, or send its token as "Authorization: Bearer TOKEN".';
    return { code: 401, why: `This monitor needs its token. ${how}` };
  }

  /** What changes something comes from this monitor's own page, or from a program that shows the token itself. */
  #origin({ method, headers }: IncomingMessage): Refusal | undefined {
    if (method === 'GET' || method === 'HEAD') return undefined;
    const { origin, host, authorization } = headers;
    const site = headers['sec-fetch-site'];
    const isOwn = origin === undefined ? authorization !== undefined : isOrigin(origin, host);
    if (isOwn && (site === undefined || site === 'same-origin')) return undefined;
    return { code: 403, why: 'This request comes from a page of somebody else, so nothing was done.' };
  }
}

/** Whether pages of that origin come from that host. The port is part of both. */
const isOrigin = (origin: string, host: string | undefined): boolean => {
  try {
    const { protocol, host: from } = new URL(origin);
    return from === new URL(`${protocol}//${host}`).host;
  } catch {
    return false;
  }
};
