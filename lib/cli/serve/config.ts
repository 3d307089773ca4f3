import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import type { Parsed } from '../command.ts';
import { UsageError } from '../report.ts';
import { SERVE_OPTIONS } from './options.ts';
import { type ServeConfig, serveSchema } from './schema.ts';

/** Where values come from: the command line, or a file. */
type Source = { readonly file?: string };

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)$/;
const NAMES = Object.keys(SERVE_OPTIONS) as (keyof ServeConfig)[];
/** Nobody who wrote a secret where all can read it shall see it again in an error. */
const SECRETS = new Set(['secret', 'password', 'admin-secret', 'key']);

const short = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
};

const jsonExample = (name: keyof ServeConfig): string => {
  const { kind, example = '/etc/offsite/FILE' } = SERVE_OPTIONS[name];
  switch (kind) {
    case 'flag':
      return `"${name}": true`;
    case 'number':
      return `"${name}": ${Number(example)}`;
    case 'list':
      return `"${name}": ["${example}"]`;
    case 'pairs':
      return `"${name}": { "${example.split('=')[0]}": "${example.split('=')[1]}" }`;
    default:
      return `"${name}": "${example}"`;
  }
};

const remedyOf = (name: keyof ServeConfig, { file }: Source): string => {
  const { kind, example = 'FILE' } = SERVE_OPTIONS[name];
  if (file !== undefined) return `For example ${jsonExample(name)}`;
  return `For example --${name}${kind === 'flag' ? '' : ` ${example}`}`;
};

/** The name that was meant by another spelling of it, as dispynode's `max_file_size`. */
const spelledAs = (name: string): string | undefined => {
  const plain = (text: string) => text.replaceAll(/[-_]/g, '').toLowerCase();
  return NAMES.find((known) => plain(known) === plain(name));
};

const unknownKey = (name: string, file: string): UsageError => {
  const meant = spelledAs(name);
  const remedy = meant
    ? `It is written "${meant}"`
    : SECRETS.has(name.toLowerCase())
      ? 'A secret stands in a file of its own: "secret-file" or "password-file"'
      : 'The keys are the options of: offsite serve --help';
  return new UsageError(`There is no option ${short(name)} for a daemon, but ${file} has it.`, remedy);
};

const noObject = (values: unknown, file = ''): UsageError =>
  new UsageError(
    `${file} holds ${short(values)}, but must hold an object of options.`,
    'For example { "cpus": 4, "port": 35000 }',
  );

const check = (values: unknown, source: Source): ServeConfig => {
  const result = v.safeParse(serveSchema, values, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = issue.path?.[0];
  if (key === undefined) throw noObject(values, source.file);
  const name = String(key.key);
  if (issue.type === 'strict_object' && issue.expected === 'never') throw unknownKey(name, source.file ?? '');
  const where = source.file === undefined ? `The option --${name}` : `"${name}" in ${source.file}`;
  throw new UsageError(
    `${where} is ${short(key.value)}, but ${issue.message}.`,
    remedyOf(name as keyof ServeConfig, source),
  );
};

const pairOf = (text: string): [string, string] => {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`The option --label is ${short(text)}, which has no =.`, remedyOf('label', {}));
};

/** What stands on the command line; paths are made absolute. Throws a `UsageError`. */
export const wordsConfig = (parsed: Parsed): ServeConfig => {
  const given: Record<string, unknown> = {};
  for (const name of NAMES) {
    const value = parsed.args[name];
    if (value === undefined) continue;
    const { kind } = SERVE_OPTIONS[name];
    if (kind === 'list') given[name] = parsed.all(name);
    else if (kind === 'pairs') given[name] = Object.fromEntries(parsed.all(name).map(pairOf));
    else if (kind === 'path') given[name] = resolve(value as string);
    // What is no number is left as it is, and refused with what it must be.
    else if (kind === 'number') given[name] = NUMBER.test(value as string) ? Number(value) : value;
    else given[name] = value;
  }
  return check(given, {});
};

/**
 * What stands in the text of a file; its relative paths are those of the folder that it lies in. Throws a `UsageError`.
 */
export const parseConfig = (text: string, file: string): ServeConfig => {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `${file} is no JSON: ${(cause as Error).message.replace(/\.$/, '')}.`,
      'See one that is: offsite serve --cpus 4 --save-config',
    );
  }
  // To valibot a list is an object, too.
  if (Array.isArray(values)) throw noObject(values, file);
  const config = check(values, { file });
  const folder = dirname(resolve(file));
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      SERVE_OPTIONS[name as keyof ServeConfig].kind === 'path' ? resolve(folder, value as string) : value,
    ]),
  );
};

/** The options that a file holds. Throws a `UsageError`. */
export const readConfig = (file: string): ServeConfig => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new UsageError(
      `The configuration ${file} can not be read: ${(cause as Error).message}.`,
      'Write one: offsite serve … --save-config FILE',
    );
  }
  return parseConfig(text, file);
};

/** All that was said: the command line, then the file. */
export const givenConfig = (parsed: Parsed): ServeConfig => {
  const words = wordsConfig(parsed);
  const { config } = parsed.args;
  return typeof config === 'string' ? { ...readConfig(config), ...words } : words;
};

/** The text of a file that says the same; it names files of secrets, never what is in them. */
export const configText = (config: ServeConfig): string => {
  const inOrder = NAMES.filter((name) => config[name] !== undefined).map((name) => [name, config[name]]);
  return `${JSON.stringify(Object.fromEntries(inOrder), null, 2)}\n`;
};

/** Whether the configuration is to be saved and not used: where, `-` for the standard output. */
export const saveTo = (parsed: Parsed): string | undefined => {
  const file = parsed.args['save-config'];
  return typeof file === 'string' ? (file === '-' ? '-' : resolve(process.cwd(), file)) : undefined;
};
