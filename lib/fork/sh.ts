import { OptionError } from '../wire/errors.ts';
import { engineWords } from './first-stage.ts';
import type { Fork } from './fork-method.ts';
import { isThisHost, parseHost } from './host.ts';
import { forkProcess } from './process.ts';

/** A process on this host, through `sh -c`, with the Node.js that runs this program. */
export const sh: Fork = async (request) => {
  if (!isThisHost(parseHost(request.host).host)) {
    throw new OptionError(
      'fork',
      `"sh" forks on this host, not on ${request.host}; leave fork out, or use "ssh".`,
    );
  }
  const [file, ...args] = engineWords(request, request.nodePath ?? process.execPath, true);
  return forkProcess({ method: 'sh', file: file!, args }, request);
};
