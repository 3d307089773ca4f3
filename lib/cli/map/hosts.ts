import { readFileSync } from 'node:fs';
import { messageOf, UsageError } from '../report.ts';

/** The hosts of a run, one entry for each site. */
export interface HostChoice {
  /** What `--host` named. */
  readonly hosts: readonly string[];
  /** The file that `--hosts` named. */
  readonly file: string | undefined;
  /** How many sites a host gets that doesn't say so itself. */
  readonly sites: number;
}

/**
 * Reads a list of hosts: one a line, with the number of its sites behind it if it is to differ from the others;
 * `#` starts a comment. Throws a `UsageError` that names the line.
 */
export const parseHosts = (text: string, sites: number, file: string): string[] =>
  text.split('\n').flatMap((raw, at) => {
    const words = raw
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    const [host = '', count = String(sites), ...more] = words;
    if (host === '') return [];
    if (more.length > 0 || !/^[1-9]\d*$/.test(count)) {
      throw new UsageError(
        `Line ${at + 1} of ${file} is "${raw.trim()}", which is not a host and perhaps a number of sites.`,
        'Write for example: bamse 8',
      );
    }
    return Array.from({ length: Number(count) }, () => host);
  });

/**
 * The host of each site, in turns, so that the first inputs go to different hosts. Without any host named it is
 * this one. Throws a `UsageError` if the file can't be read or names none.
 */
export const hostOfEachSite = ({ hosts, file, sites }: HostChoice): string[] => {
  const named = hosts.flatMap((host) => Array.from({ length: sites }, () => host));
  if (file !== undefined) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new UsageError(
        `The hosts file ${file} can't be read: ${messageOf(error)}.`,
        'Give a file that exists',
      );
    }
    named.push(...parseHosts(text, sites, file));
    if (named.length === 0) throw new UsageError(`The hosts file ${file} names no host.`, 'Write one a line');
  }
  if (named.length === 0) return Array.from({ length: sites }, () => 'localhost');
  return inTurns(named);
};

/** Orders `a a b b` as `a b a b`. */
const inTurns = (hosts: readonly string[]): string[] => {
  const seen = new Map<string, number>();
  const ranked = hosts.map((host) => {
    const rank = seen.get(host) ?? 0;
    seen.set(host, rank + 1);
    return { host, rank };
  });
  return ranked.sort((one, other) => one.rank - other.rank).map(({ host }) => host);
};
