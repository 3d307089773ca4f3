import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { OptionError } from '../wire/errors.ts';
import { readPrivateFile } from './private-file.ts';

const checked = (text: string, path: string, option: string, check: (text: string) => unknown): string => {
  try {
    check(text);
    return text;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new OptionError(option, `${option}: ${path} is not what it should be in PEM: ${why}.`, { cause });
  }
};

/** Reads one or more certificates in PEM, which are no secret; throws OptionError, which names `option`. */
export const readCertificate = (path: string, option: string): string => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OptionError(option, `${option}: ${path} can not be read: ${(cause as Error).message}.`, {
      cause,
    });
  }
  return checked(text, path, option, () => new X509Certificate(text));
};

/** Reads a private key in PEM that nobody else may read; throws OptionError, which names `option`. */
export const readPrivateKey = (path: string, option: string): string =>
  checked(readPrivateFile(path, option), path, option, createPrivateKey);
