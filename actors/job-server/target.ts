import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionText } from '../../lib/cluster/function-text.ts';
import { type AnyFunction, type Callable, FunctionName, nameOf, plain } from '../../lib/cluster/functions.ts';
import type { ProgramText } from '../../lib/jobs/protocol.ts';
import { functionFunctor } from '../../lib/module/functor.ts';
import { isFunctor } from '../../lib/module/functor-text.ts';
import { OptionError } from '../../lib/wire/errors.ts';

/** A program as a job: its arguments become strings, its exit code is the result. */
export interface ProgramTarget {
  /** Its path on the node, or its name there; or its path here, if it is sent. */
  readonly program: string;
  /** Whether its file is sent along. @default false */
  readonly send?: boolean;
  /** Environment variables beside the site's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder in which it runs over there. @default the job's own */
  readonly cwd?: string;
}

/** What a job can run. A plain function needs nothing of the place where it was written. */
export type JobTarget<F extends AnyFunction = AnyFunction> = Callable<F> | F | string | ProgramTarget;

/** What is sent in place of it. */
export interface TargetText {
  readonly fn?: FunctionText;
  readonly program?: ProgramText;
  /** The program's file here. */
  readonly file?: string;
}

/** So many texts are remembered. */
const MOST_TEXTS = 10_000;

const ofObjects = new WeakMap<object, TargetText>();
const ofTexts = new Map<string, TargetText>();

const ofText = (text: string): TargetText => {
  const [module = '', name, ...more] = text.split('#');
  if (module === '' || !name || more.length > 0) {
    throw new OptionError(
      'target',
      `A job is named as in './work.js#sum': its module, #, and the name of what it exports; not ${JSON.stringify(text)}.`,
    );
  }
  const isPath = /^\.{0,2}\//.test(module);
  return { fn: { module: isPath ? pathToFileURL(resolve(module)).href : module, name } };
};

const ofProgram = ({ program, send = false, env, cwd }: ProgramTarget): TargetText => {
  if (typeof program !== 'string' || program === '') {
    throw new OptionError('program', 'A program is named by its path or name.');
  }
  const file = send ? resolve(program) : undefined;
  return {
    program: {
      program: file === undefined ? program : file.replace(/^.*[\\/]/, ''),
      sent: send,
      ...(env && { env }),
      ...(cwd !== undefined && { cwd }),
    },
    ...(file !== undefined && { file }),
  };
};

/** The function or program that a user means. Throws OptionError, FreeVariableError and FunctorError. */
export const targetText = (target: unknown): TargetText => {
  if (typeof target === 'string') {
    let known = ofTexts.get(target);
    if (!known) {
      known = ofText(target);
      if (ofTexts.size >= MOST_TEXTS) ofTexts.clear();
      ofTexts.set(target, known);
    }
    return known;
  }
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null) {
    throw new OptionError(
      'target',
      `A job runs a function, a module's export or a program, and not ${String(target)}.`,
    );
  }
  let known = ofObjects.get(target);
  if (!known) {
    known = madeOf(target);
    ofObjects.set(target, known);
  }
  return known;
};

const madeOf = (target: object): TargetText => {
  if (target instanceof FunctionName || isFunctor(target)) {
    return { fn: plain(nameOf(target as Callable<AnyFunction>)) };
  }
  if (typeof target === 'function') return { fn: plain(nameOf(functionFunctor(target as AnyFunction))) };
  if ('program' in target) return ofProgram(target as ProgramTarget);
  throw new OptionError(
    'target',
    "A job runs a function, what functionsOf(url) names, a functor, a text like './work.js#sum', or { program }.",
  );
};
