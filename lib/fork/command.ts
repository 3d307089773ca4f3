import { OptionError } from '../wire/errors.ts';
import { engineLine, engineWords } from './first-stage.ts';
import type { Fork } from './fork-method.ts';
import { forkProcess } from './process.ts';

/** Any command that, as in Mozart, gets two arguments: the host, and one shell line that begins with `exec`. */
export const commandString =
  (file: string): Fork =>
  (request) =>
    forkProcess({ method: file, file, args: [request.host, engineLine(request)] }, request);

/** A command whose words are kept as they are, `{host}` filled in and the engine's words appended. */
export const commandArray =
  (words: readonly string[]): Fork =>
  async (request) => {
    const [file, ...args] = words.map((word) => word.replaceAll('{host}', request.host));
    if (!file) throw new OptionError('fork', 'An array for fork must begin with a command.');
    args.push(...engineWords(request, request.nodePath ?? 'node'));
    return forkProcess({ method: file, file, args }, request);
  };
