import { stripVTControlCharacters } from 'node:util';
import { type ArgsDef, parseArgs, renderUsage } from 'citty';
import { mayColour, UsageError } from './report.ts';

/** The words of a command line, sorted. */
export interface Parsed {
  /** The value of each option by its long name: the last one given, or its default. */
  readonly args: Readonly<Record<string, string | boolean | undefined>>;
  /** Every value of an option that may be given more than once. */
  readonly all: (option: string) => string[];
  /** What is not an option, in the order it was typed. */
  readonly rest: readonly string[];
}

/** One command of the shell: what `--help` says of it, and what it does. */
export interface Command {
  readonly name: string;
  readonly description: string;
  /** What follows the options, for the usage line. */
  readonly operands?: string;
  /** Whether what follows the first operand is somebody else's: options behind it are not looked at. */
  readonly passesOn?: boolean;
  readonly args: ArgsDef;
  /** Options whose value may be left out, with the value that they have then. */
  readonly valuesLeftOut?: Readonly<Record<string, string>>;
  /** Whether an operand may be a number below 0, which is no option then. */
  readonly takesNumbers?: boolean;
  /** The commands below this one, with what they are for. */
  readonly commands?: Readonly<Record<string, string>>;
  /** Paragraphs after the options. */
  readonly notes?: readonly string[];
  /** Command lines that work, each with what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** Does the work and resolves to the exit code. */
  readonly run: (parsed: Parsed) => Promise<number>;
}

/** An option or another name of it, as it is typed. */
const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`);

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const beforeDashes = (words: readonly string[]): readonly string[] => {
  const dashes = words.indexOf('--');
  return dashes < 0 ? words : words.slice(0, dashes);
};

/** Says whether help was asked for; a word after `--` is an input and asks for nothing. */
export const wantsHelp = (words: readonly string[]): boolean =>
  beforeDashes(words).some((word) => word === '--help' || word === '-h');

/** The options that take the word behind them, as they are typed. */
const valueTaking = (args: ArgsDef): ReadonlySet<string> =>
  new Set(
    Object.entries(args)
      .filter(([, { type }]) => type === 'string')
      .flatMap(([name, definition]) => [
        `--${name}`,
        ...('alias' in definition ? listOf(definition.alias).map(dashed) : []),
      ]),
  );

/** Splits the words of a command that passes some on: its own, and those from the first operand on. */
const split = ({ args, passesOn, takesNumbers }: Command, words: readonly string[]): [string[], string[]] => {
  const takesValue = valueTaking(args);
  if (takesNumbers === true) {
    const own = beforeDashes(words).length;
    const isOperand = (word: string, at: number) =>
      at < own && /^-\d/.test(word) && !takesValue.has(words[at - 1] ?? '');
    return [words.filter((word, at) => !isOperand(word, at)), words.filter(isOperand)];
  }
  if (passesOn !== true) return [[...words], []];
  let at = 0;
  while (at < words.length && words[at] !== '--' && words[at]!.startsWith('-')) {
    at += takesValue.has(words[at]!) ? 2 : 1;
  }
  const rest = words.slice(at);
  return [words.slice(0, at), rest[0] === '--' ? rest.slice(1) : rest];
};

/** The words of a command line that are for the command itself. */
export const ownWords = (command: Command, words: readonly string[]): readonly string[] =>
  split(command, words)[0];

/** The same words, where those options have their value that may stand without one. */
const withValues = ({ valuesLeftOut = {} }: Command, words: readonly string[]): string[] => {
  const own = beforeDashes(words);
  return words.map((word, index) => {
    const option = word.slice(2);
    if (index >= own.length || !word.startsWith('--') || !Object.hasOwn(valuesLeftOut, option)) return word;
    const next = own[index + 1];
    const alone = next === undefined || (next !== '-' && next.startsWith('-'));
    return alone ? `${word}=${valuesLeftOut[option]}` : word;
  });
};

/** Sorts a command's words. Throws a `UsageError` for an option that it doesn't have or that lacks its value. */
export const parse = (command: Command, all: readonly string[]): Parsed => {
  const [own, passed] = split(command, all);
  const words = withValues(command, own);
  const parsed = parseArgs(words, command.args) as Record<string, unknown> & { _: string[] };
  // citty lets an unknown option pass, so that a misspelt one would silently change what is done.
  const known = new Set(
    Object.entries(command.args).flatMap(([name, definition]) => [
      name,
      // As citty has what stands with a dash.
      name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      ...('alias' in definition ? listOf(definition.alias) : []),
    ]),
  );
  const help = `Type: offsite ${command.name === 'offsite' ? '' : `${command.name} `}--help`;
  for (const name of Object.keys(parsed)) {
    if (name === '_' || known.has(name)) continue;
    throw new UsageError(
      `There is no option ${dashed(name)}.`,
      `${help}. An input that starts with - goes after --`,
    );
  }
  for (const [name, definition] of Object.entries(command.args)) {
    if (definition.type === 'string' && parsed[name] === '') {
      throw new UsageError(`The option --${name} needs a value.`, help);
    }
  }
  return {
    args: parsed as Parsed['args'],
    all: (option) => valuesOf(command, words, option),
    rest: [...parsed._, ...passed],
  };
};

/** Every value of an option that may be repeated; citty keeps the last one only. */
const valuesOf = ({ args }: Command, words: readonly string[], option: string): string[] => {
  const definition = args[option];
  const aliases = definition && 'alias' in definition ? listOf(definition.alias) : [];
  const names = [option, ...aliases].map(dashed);
  const values: string[] = [];
  const options = beforeDashes(words);
  for (const [index, word] of options.entries()) {
    const next = options[index + 1];
    const before = names.find((name) => name.startsWith('--') && word.startsWith(`${name}=`));
    if (before) values.push(word.slice(before.length + 1));
    else if (names.includes(word) && next !== undefined) values.push(next);
  }
  return values;
};

/** The text of `--help`: citty's, then the notes and the examples. */
export const usage = async (command: Command, stream: { isTTY?: boolean }): Promise<string> => {
  const root = command.name === 'offsite';
  const subCommands = Object.fromEntries(
    Object.entries(command.commands ?? {}).map(([name, description]) => [name, { meta: { description } }]),
  );
  const rendered = await renderUsage(
    {
      meta: { name: command.name, description: command.description },
      args: command.args,
      ...(root ? { subCommands } : {}),
    },
    root ? undefined : { meta: { name: 'offsite' } },
  );
  const operands = command.operands ?? '';
  const lines = rendered.split('\n').map((text) => {
    // citty writes every other name with one dash.
    const line = text.replace(/^ (.*[\sm])-(?=\w[\w-]+, --\w)/, '$1--');
    if (operands === '' || !stripVTControlCharacters(line).startsWith('USAGE')) return line;
    return line.replace('[OPTIONS]', `${operands} [OPTIONS]`);
  });
  for (const note of command.notes ?? []) lines.push(note, '');
  lines.push('EXAMPLES', '');
  for (const [line, purpose] of command.examples) lines.push(`  ${line}`, `      ${purpose}`);
  const text = `${lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()}\n`;
  // citty colours pipes as well, and heeds only NO_COLOR=1.
  return mayColour(stream) ? text : stripVTControlCharacters(text);
};

/** A number given to an option. Throws a `UsageError` unless it is one, whole if asked, and at least `least`. */
export const numberOf = (
  parsed: Parsed,
  option: string,
  { least, whole = false }: { least: number; whole?: boolean },
): number | undefined => {
  const text = parsed.args[option];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < least || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new UsageError(
      `The option --${option} is "${text}", which is not ${kind} of at least ${least}.`,
      `Give one, for example --${option} ${Math.max(1, least)}`,
    );
  }
  return value;
};
