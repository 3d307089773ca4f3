import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Who answers questions of DNS; a `Resolver` of `node:dns/promises` does. */
export type NameResolver = Pick<Resolver, 'resolveSrv' | 'resolve4' | 'resolve6'>;

/** How long a DNS server may take for one answer, and how often it is asked, if nobody says another resolver. */
const SERVER = { timeout: 1_000, tries: 2 };

/** The resolver of this host. */
export const systemResolver = (): NameResolver => new Resolver(SERVER);

/** Puts records of one priority into an order by chance: the greater a weight, the sooner it comes (RFC 2782). */
const byWeight = (records: readonly SrvRecord[], random: () => number): SrvRecord[] => {
  const left = [...records].sort((a, b) => a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    const drawn = Math.floor(random() * (total + 1));
    let sum = 0;
    const index = left.findIndex(({ weight }) => {
      sum += weight;
      return sum >= drawn;
    });
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
};

/**
 * The targets of SRV records by priority, the first to be tried first, those of one priority in an order by chance as
 * their weights want it (RFC 2782). The one target `.` says that there is no such service: then there are none.
 */
export const srvClasses = (
  records: readonly SrvRecord[],
  random: () => number = Math.random,
): SrvRecord[][] => {
  const usable = records.filter(({ name }) => name !== '' && name !== '.');
  const priorities = [...new Set(usable.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.map((one) =>
    byWeight(
      usable.filter(({ priority }) => priority === one),
      random,
    ),
  );
};

/** The addresses of a target by the resolver that named it; the name itself if that knows none. */
export const addressesOfTarget = async (target: string, resolver: NameResolver): Promise<string[]> => {
  if (isIP(target)) return [target];
  const [four, six] = await Promise.all([
    resolver.resolve4(target).catch(() => []),
    resolver.resolve6(target).catch(() => []),
  ]);
  const found = [...four, ...six];
  // `/etc/hosts` and the like are asked when it is dialled.
  return found.length > 0 ? found : [target];
};
