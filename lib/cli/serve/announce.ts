import process from 'node:process';
import type { AccessFiles } from '../../access/credentials.ts';
import { type Address, written } from '../../cluster/direct/address.ts';
import { counted } from '../report.ts';

/** What is told of a daemon when it begins to serve. */
export interface Serving {
  readonly event: 'serving';
  readonly name: string;
  readonly pid: number;
  readonly addresses: readonly Address[];
  readonly cpus: number;
  /** By what clients are known; none if only this host's own user comes in. */
  readonly access: readonly ('keys' | 'certificates' | 'passwords')[];
}

/** By what clients are known. */
export const accessKinds = ({ secretFile, ca, passwordFile }: AccessFiles = {}): Serving['access'] => [
  ...(secretFile === undefined ? [] : ['keys' as const]),
  ...(ca === undefined ? [] : ['certificates' as const]),
  ...(passwordFile === undefined ? [] : ['passwords' as const]),
];

/** The same as a line for people. */
export const servingLine = ({ name, pid, addresses, cpus, access }: Serving): string => {
  const known = access.length > 0 ? access.join(' and ') : 'no credentials, so this host only';
  const count = counted(cpus, 'cpu');
  return `${name} serves at ${addresses.map(written).join(' ')} (pid ${pid}, ${count}, ${known})`;
};

/** Prints it: for people on stderr, or as a line of JSON on stdout. */
export const announce = (serving: Serving, json: boolean): void => {
  if (json) process.stdout.write(`${JSON.stringify(serving)}\n`);
  else process.stderr.write(`offsite: ${servingLine(serving)}\n`);
};
