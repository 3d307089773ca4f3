import type { ArgsDef } from 'citty';
import type { ServeConfig } from './schema.ts';

/** How an option is read from the command line; a path is one of this host's, and is made absolute. */
export type Kind = 'text' | 'path' | 'number' | 'size' | 'flag' | 'list' | 'pairs';

/** One option, as the command line has it. */
export interface ServeOption {
  readonly kind: Kind;
  readonly alias?: readonly string[];
  readonly hint?: string;
  readonly description: string;
  /** A value that is right, in errors. */
  readonly example?: string;
}

/** The options of `offsite serve` that a file may hold, in the order in which `--help` and a saved file have them. */
export const SERVE_OPTIONS: { readonly [Key in keyof Required<ServeConfig>]: ServeOption } = {
  cpus: {
    kind: 'number',
    alias: ['c'],
    hint: 'N',
    description: 'At most so many sites at once; -N leaves so many processors alone (default: all)',
    example: '4',
  },
  host: {
    kind: 'list',
    alias: ['i', 'ip-addr'],
    hint: 'ADDR',
    description: 'Where to listen; may be repeated (default: everywhere with credentials, else loopback)',
    example: '0.0.0.0',
  },
  'ext-ip-addr': {
    kind: 'list',
    hint: 'ADDR',
    description: 'What clients are told behind NAT, ADDR[:PORT]; may be repeated, in the order of --host',
    example: '203.0.113.7',
  },
  port: {
    kind: 'number',
    alias: ['p'],
    hint: 'N',
    description: 'The port (default: 35000; 0 is any that is free)',
    example: '35000',
  },
  name: {
    kind: 'text',
    hint: 'NAME',
    description: "As people call it (default: the host's name)",
    example: 'bamse',
  },
  label: {
    kind: 'pairs',
    hint: 'KEY=VALUE',
    description: 'What clients can ask for when they place jobs; may be repeated',
    example: 'gpu=a100',
  },
  'secret-file': {
    kind: 'path',
    hint: 'FILE',
    description: 'Keys of users, as offsite keygen writes them',
  },
  certfile: { kind: 'path', hint: 'FILE', description: 'The certificate of this node (PEM), for mutual TLS' },
  keyfile: { kind: 'path', hint: 'FILE', description: 'The private key of that certificate (PEM)' },
  ca: {
    kind: 'path',
    hint: 'FILE',
    description: 'The authorities that certificates of clients come from (PEM)',
  },
  'password-file': {
    kind: 'path',
    hint: 'FILE',
    description: 'Verifiers of passwords, as offsite passwd writes them',
  },
  'dest-path-prefix': {
    kind: 'path',
    hint: 'FOLDER',
    description: 'Where sites have their folders (default: a folder in that for temporary files)',
  },
  'max-file-size': {
    kind: 'size',
    hint: 'N[kmgt]',
    description: 'The largest file that a job may send or fetch; larger ones are refused (default: no bound)',
    example: '10m',
  },
  'scheduler-host': {
    kind: 'list',
    hint: 'HOST[:PORT]',
    description: 'A scheduler to dial, so that no port need be open here; may be repeated',
    example: 'gate',
  },
  'zombie-interval': {
    kind: 'number',
    hint: 'MINUTES',
    description: 'A client who is silent for so long loses its sites (default: 60)',
    example: '60',
  },
  'msg-timeout': {
    kind: 'number',
    hint: 'S',
    description: 'Seconds that a client may take for what it has begun to say (default: 10)',
    example: '10',
  },
  clean: {
    kind: 'flag',
    description: 'First kill the daemon of yours that has the same port or the same folder for sites',
  },
  'service-start': {
    kind: 'text',
    hint: 'HH:MM',
    description: 'Serve from this time of the day on only',
    example: '17:00',
  },
  'service-stop': {
    kind: 'text',
    hint: 'HH:MM',
    description: 'Start nothing more from this time on (default: --service-end)',
    example: '06:00',
  },
  'service-end': {
    kind: 'text',
    hint: 'HH:MM',
    description: 'End what still runs at this time',
    example: '08:00',
  },
  'time-zone': {
    kind: 'text',
    hint: 'ZONE',
    description: 'The time zone of these times (default: that of this host)',
    example: 'Europe/Stockholm',
  },
  serve: { kind: 'number', hint: 'N', description: 'End after so many clients', example: '1' },
  'idle-exit': {
    kind: 'number',
    alias: ['t'],
    hint: 'S',
    description: 'End after so many seconds without a client',
    example: '600',
  },
  'restart-workers': {
    kind: 'flag',
    alias: ['r'],
    description: 'A fresh site for each job of a job server',
  },
  init: {
    kind: 'path',
    hint: 'FILE',
    description: 'A module whose init() runs first in each site, and close() when it ends',
  },
  uid: {
    kind: 'text',
    hint: 'USER',
    description: 'As whom sites run, USER[:GROUP]; only root can say so',
    example: 'jobs',
  },
  'pid-file': {
    kind: 'path',
    alias: ['P'],
    hint: 'FILE',
    description: 'Keep the process id there while it serves',
  },
  daemon: { kind: 'flag', description: 'Serve in the background; return when it serves' },
  'log-file': {
    kind: 'path',
    hint: 'FILE',
    description: 'Where it logs in the background (default: serve-PORT.log in your private folder)',
  },
  json: { kind: 'flag', description: 'Print a line of JSON on stdout for each event instead' },
};

/** The same for citty, with those two that say which file. */
export const SERVE_ARGS: ArgsDef = {
  ...Object.fromEntries(
    Object.entries(SERVE_OPTIONS).map(([name, { kind, alias, hint, description }]) => [
      name,
      {
        type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
        description,
        ...(alias && { alias: [...alias] }),
        ...(hint && { valueHint: hint }),
      },
    ]),
  ),
  config: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Options from a file of JSON; the command line beats it',
  },
  'save-config': {
    type: 'string',
    valueHint: 'FILE',
    description: 'Write the options to a file (default: print them), and do not serve',
  },
};
