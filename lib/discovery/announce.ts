import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Service } from 'bonjour-service';
import * as v from 'valibot';
import { isWildcard } from '../cluster/direct/address.ts';
import { OptionError } from '../wire/errors.ts';
import { textOf } from './announced.ts';
import { isLoopback, type LanInterface } from './interfaces.ts';
import { Lan, type LanLink } from './lan.ts';
import { SERVICE } from './where.ts';

/** What a node announces of itself. */
export interface AnnounceOptions {
  /** As people call it. */
  readonly name: string;
  readonly port: number;
  /**
   * Where it listens, or, behind a router that forwards its port, where it can be reached. One that an interface has is
   * announced on that interface only, `0.0.0.0` and `::` as all that an interface has, any other on all interfaces.
   * @default '::'
   */
  readonly addresses?: readonly string[];
  /** Names or addresses of interfaces on which it is announced. @default all that are up and not loopback */
  readonly interfaces?: readonly string[];
  /** The version of this package. */
  readonly version: string;
  /** Whether clients must have credentials. */
  readonly secured: boolean;
}

/** On which interface a node is announced, or why it is not. */
export interface AnnouncedOn {
  readonly interface: string;
  /** The addresses that are told there; none if it is not announced there. */
  readonly addresses: readonly string[];
  readonly error?: Error;
}

/** How long the last word may take, in milliseconds. */
const GOODBYE_WITHIN = 500;

const Text = v.pipe(v.string(), v.minLength(1));
const Options = v.object({
  name: Text,
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  addresses: v.optional(v.array(Text)),
  interfaces: v.optional(v.array(Text)),
  version: v.string(),
  secured: v.boolean(),
});

const check = (options: AnnounceOptions): void => {
  const result = v.safeParse(Options, options);
  if (result.success) return;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? 'options';
  throw new OptionError(path, `${path} of what is to be announced is wrong: ${issue.message}.`);
};

/** Of a name, the addresses that it has; a name that is not known can't be announced. */
const addressesOf = async (host: string): Promise<string[]> => {
  if (isIP(host)) return [host];
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
};

/** An address that says nothing without the interface of who dials it. */
const LINK_LOCAL = /^fe[89ab]/i;

/** The addresses that are told on an interface by a node that listens on some; IPv4 first. */
export const toldOn = (at: LanInterface, listens: readonly string[]): string[] => {
  const own = Object.values(networkInterfaces()).flatMap((infos = []) => infos.map(({ address }) => address));
  const told = listens.flatMap((address) => {
    if (isWildcard(address)) return at.addresses.filter((one) => isIP(one) === 4 || isIP(address) === 6);
    if (isLoopback(address)) return at.reaches(address) ? [address] : [];
    return at.addresses.includes(address) || !own.includes(address) ? [address] : [];
  });
  return [...new Set(told)].filter((one) => !LINK_LOCAL.test(one)).sort((a, b) => isIP(a) - isIP(b));
};

/** A node that others in the network can find, until it is closed. It never keeps the process alive. */
export class Announcement implements AsyncDisposable {
  /** The name under which it is announced; no other node has it. */
  readonly id: string;
  readonly #options: AnnounceOptions;
  readonly #listens: readonly string[];
  readonly #services = new Map<LanLink, Service>();
  readonly #lan: Lan;

  /** `announce` makes them. */
  constructor(options: AnnounceOptions, listens: readonly string[]) {
    this.#options = options;
    this.#listens = listens;
    // The library would ask whether the name is free, and print an error if not; so it is one that nobody else has.
    const name = options.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 40);
    this.id = `${name}-${randomBytes(6).toString('hex')}`;
    this.#lan = new Lan({
      ...(options.interfaces && { interfaces: options.interfaces }),
      opened: (link) => this.#publish(link),
      closing: (link) => this.#goodbye(link),
    });
  }

  /** Where it is announced now, and where it can't be. */
  get on(): readonly AnnouncedOn[] {
    return [
      ...this.#lan.links.map(({ at, socket: { trouble } }) => ({
        interface: at.name,
        addresses: trouble ? [] : toldOn(at, this.#listens),
        ...(trouble && { error: trouble }),
      })),
      ...this.#lan.troubles.map(({ at, error }) => ({ interface: at.name, addresses: [], error })),
    ];
  }

  /** Resolves when it has been announced where it can be. */
  open(): Promise<void> {
    return this.#lan.open();
  }

  /** Says goodbye, so that others forget it at once. Never rejects. */
  close(): Promise<void> {
    return this.#lan.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publish(link: LanLink): void {
    const addresses = toldOn(link.at, this.#listens);
    if (addresses.length === 0) return;
    const { name, version, secured, port } = this.#options;
    const [type] = SERVICE.slice(1).split('.') as [string];
    const service = link.bonjour.publish({
      name: this.id,
      type,
      port,
      // The name of the host would be that of others as well where hosts are cloned.
      host: `${this.id}.local`,
      txt: textOf({ name, version, secured, addresses }),
      probe: false,
    });
    this.#services.set(link, service);
  }

  async #goodbye(link: LanLink): Promise<void> {
    const service = this.#services.get(link);
    this.#services.delete(link);
    if (!service) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GOODBYE_WITHIN);
      service.stop(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/**
 * Announces a node by multicast DNS (DNS-SD, service type `_offsite._tcp`), with no secret, also on interfaces that
 * come up later. An interface that can't be used is told in `on` and is no error. Rejects with OptionError.
 */
export const announce = async (options: AnnounceOptions): Promise<Announcement> => {
  check(options);
  const { addresses = ['::'] } = options;
  const listens = (await Promise.all(addresses.map(addressesOf))).flat();
  const announcement = new Announcement(options, listens);
  await announcement.open();
  return announcement;
};
