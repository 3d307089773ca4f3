import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { DAEMON_PORT } from '../access/dial.ts';
import type { Address } from '../cluster/direct/address.ts';
import { OptionError } from '../wire/errors.ts';

/** How many ports `host:*` tries, beginning with that of a daemon to which nobody gave one. */
export const PORTS_TRIED = 16;

/** Where nodes are looked for: what a word says. */
export type Where =
  | { readonly kind: 'auto'; readonly word: string }
  | { readonly kind: 'static'; readonly word: string; readonly address: Address }
  | { readonly kind: 'host'; readonly word: string; readonly host: string }
  | { readonly kind: 'srv'; readonly word: string; readonly name: string };

const HOST = /^(?:\[(?<six>[^[\]]+)\]|(?<host>[^\s:[\]@*]+))(?::(?<port>\d{1,5}|\*))?$/;
const DNS_NAME = /^(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})*$/;
/** The service's name in SRV records and in DNS-SD. */
export const SERVICE = '_offsite._tcp';

const HOW =
  "must be 'auto', 'host', 'host:port', 'host:*', 'srv:NAME' or '@FILE', with an IPv6 address in brackets";
const wrong = (word: unknown) =>
  new OptionError('where', `where has the word ${JSON.stringify(word)}, but each ${HOW}.`);

/** Reads one word. Throws OptionError. */
export const parseWhere = (word: string): Where => {
  if (typeof word !== 'string') throw wrong(word);
  if (word === 'auto') return { kind: 'auto', word };
  if (word.startsWith('srv:')) {
    const name = word.slice(4).replace(/\.$/, '');
    if (!DNS_NAME.test(name)) throw wrong(word);
    return { kind: 'srv', word, name: name.startsWith('_') ? name : `${SERVICE}.${name}` };
  }
  // An IPv6 address without brackets and port can be nothing else.
  if (isIPv6(word)) return { kind: 'static', word, address: { host: word, port: DAEMON_PORT } };
  const { six, host, port } = HOST.exec(word)?.groups ?? {};
  if (six === undefined ? host === undefined : !isIPv6(six)) throw wrong(word);
  const name = six ?? host!;
  if (port === '*') return { kind: 'host', word, host: name };
  const number = port === undefined ? DAEMON_PORT : Number(port);
  if (number < 1 || number > 65_535) throw wrong(word);
  return { kind: 'static', word, address: { host: name, port: number } };
};

const linesOf = async (file: string): Promise<string[]> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const what = `The list of nodes ${file} can not be read: ${(cause as Error).message}.`;
    throw new OptionError('where', what, { cause });
  }
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
};

/**
 * Reads all words, each once; `@FILE` stands for the words in a file, one a line, where `#` begins a comment. Rejects
 * with OptionError.
 */
export const readWhere = async (words: readonly string[]): Promise<Where[]> => {
  if (!Array.isArray(words) || words.length === 0) {
    throw new OptionError('where', `where is ${JSON.stringify(words)}, but each of its words ${HOW}.`);
  }
  const all = await Promise.all(
    words.map(async (word) =>
      typeof word === 'string' && word.startsWith('@') ? linesOf(word.slice(1)) : [word],
    ),
  );
  return [...new Set(all.flat())].map(parseWhere);
};
