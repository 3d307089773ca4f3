import { OptionError } from '../wire/errors.ts';
import type { Domain } from './credentials.ts';
import { isUserName, linesThatSay } from './key-file.ts';
import { newServerSetup, register } from './login/opaque.ts';

const SETUP = /^offsite-opaque (?<setup>[\w-]{100,400})$/;
const VERIFIER = /^offsite-verifier (?<user>\S+) (?<domain>use|admin) (?<record>[\w-]{200,400})$/;

/** By what a password is proved; it can not be had back from it, and is of no use without the file's first line. */
export interface Verifier {
  readonly domain: Domain;
  readonly record: string;
}

/** What a file of passwords says. */
export interface Passwords {
  /** The daemon's own secret part of the exchange. */
  readonly setup: string;
  readonly verifiers: ReadonlyMap<string, Verifier>;
}

/** Reads a file of `offsite passwd`; throws OptionError, which names the line. */
export const parsePasswords = (text: string, from: string): Passwords => {
  const verifiers = new Map<string, Verifier>();
  let setup: string | undefined;
  for (const [line, number] of linesThatSay(text)) {
    const { user, domain, record } = VERIFIER.exec(line)?.groups ?? {};
    const first = SETUP.exec(line)?.groups?.setup;
    if (first !== undefined && setup === undefined) setup = first;
    else if (isUserName(user) && !verifiers.has(user))
      verifiers.set(user, { domain: domain as Domain, record: record! });
    else {
      const what = `passwordFile: line ${number} of ${from} is not one that \`offsite passwd\` writes, or is there twice`;
      throw new OptionError(
        'passwordFile',
        `${what}. Make the file anew with: offsite passwd USER --file FILE`,
      );
    }
  }
  if (setup !== undefined) return { setup, verifiers };
  const what = `passwordFile: ${from} is not a file of passwords. Make one with: offsite passwd USER --file FILE`;
  throw new OptionError('passwordFile', what);
};

const isOf = (user: string) => (line: string) => line.trim().startsWith(`offsite-verifier ${user} `);

/** The text of a file of passwords with one more, or another one, in it; `text` is `undefined` for a new file. */
export const withPassword = async (
  text: string | undefined,
  user: string,
  domain: Domain,
  password: string,
): Promise<string> => {
  const start =
    text ??
    `# Passwords of Offsite; only verifiers, see docs/access.md\noffsite-opaque ${await newServerSetup()}\n`;
  const { setup } = parsePasswords(start, 'the file');
  const line = `offsite-verifier ${user} ${domain} ${await register(setup, user, password)}`;
  const lines = start.trimEnd().split('\n');
  const at = lines.findIndex(isOf(user));
  if (at < 0) lines.push(line);
  else lines[at] = line;
  return `${lines.join('\n')}\n`;
};

/** The text of a file of passwords without one; `undefined` if it is not there. */
export const withoutPassword = (text: string, user: string): string | undefined => {
  const lines = text.split('\n');
  const left = lines.filter((line) => !isOf(user)(line));
  return left.length === lines.length ? undefined : left.join('\n');
};
