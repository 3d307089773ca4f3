import { resolve } from 'node:path';
import { SCHEDULER_PORT } from '../../../actors/scheduler.ts';
import type { Address } from '../../cluster/direct/address.ts';
import { numberOf, type Parsed } from '../command.ts';
import { UsageError } from '../report.ts';
import { serveHere } from '../serve/serve-here.ts';

const SCHEME = 'wss:';

/** Whether a word names a scheduler to join, and not a cluster by its ticket. */
export const isScheduler = (word: string | undefined): word is string =>
  word !== undefined && /^wss?:\/\//i.test(word);

const addressOf = (word: string): Address => {
  const remedy = `For example wss://boss or wss://boss:${SCHEDULER_PORT}`;
  const url = URL.canParse(word) ? new URL(word) : undefined;
  if (url?.protocol !== SCHEME || url.hostname === '' || url.pathname !== '/' || url.search !== '')
    throw new UsageError(`"${word.slice(0, 60)}" names no scheduler.`, remedy);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // The port of HTTPS, which a URL leaves out, is named by nobody who means that.
  return { host, port: url.port === '' ? SCHEDULER_PORT : Number(url.port) };
};

const labelsOf = (parsed: Parsed): Record<string, string> =>
  Object.fromEntries(
    parsed.all('label').map((word) => {
      const at = word.indexOf('=');
      if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
      throw new UsageError(
        `The option --label is "${word}", which has no =.`,
        'For example --label gpu=a100',
      );
    }),
  );

/**
 * Serves as a node of a scheduler that it dials, so that it needs no open port, until it is ended by a signal; gives the
 * exit code.
 */
export const serveAsNode = (word: string, parsed: Parsed): Promise<number> => {
  const address = addressOf(word);
  const { name, 'secret-file': secretFile } = parsed.args;
  const cpus = numberOf(parsed, 'cpus', { least: 0, whole: true });
  const credentials = typeof secretFile === 'string' ? { secretFile: resolve(secretFile) } : undefined;
  return serveHere({
    config: {},
    options: {
      // For its own user only, who steers it by its control socket.
      host: ['127.0.0.1'],
      port: 0,
      labels: labelsOf(parsed),
      scheduler: [{ address, ...(credentials && { credentials }) }],
      ...(typeof name === 'string' && { name }),
      ...(cpus !== undefined && { cpus }),
    },
    tell: undefined,
  });
};
