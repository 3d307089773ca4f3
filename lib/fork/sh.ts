import { OptionError } from '../wire/errors.ts';
import { directWords, engineWords } from './first-stage.ts';
import type { Fork } from './fork-method.ts';
import { isThisHost, parseHost } from './host.ts';
import { forkProcess } from './process.ts';

/** A process on this host with the Node.js that runs this program; `sh -c` looks for another one. */
export const sh: Fork = async (request) => {
  if (!isThisHost(parseHost(request.host).host)) {
    throw new OptionError(
      'fork',
      `"sh" forks on this host, not on ${request.host}; leave fork out, or use "ssh".`,
    );
  }
  const direct = directWords(request);
  const [file, ...args] = direct ?? engineWords(request, request.nodePath ?? process.execPath, true);
  return forkProcess({ method: 'sh', file: file!, args, here: true, direct: direct !== undefined }, request);
};
