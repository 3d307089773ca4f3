import { userInfo } from 'node:os';
import process from 'node:process';
import type { Domain } from '../access/credentials.ts';
import { isUserName, keyLine, newKey, ownKeyFile, parseKeys, USER_NAMES } from '../access/key-file.ts';
import { readPrivateFile } from '../access/private-file.ts';
import { appendPrivate, createPrivate } from './access/private-output.ts';
import type { Command } from './command.ts';
import { UsageError } from './report.ts';

const SERVES = 'A daemon lets its user in that has the same line: offsite serve';

/** Who must have the same line. */
const USED: Record<Domain, string> = {
  use: SERVES,
  admin: SERVES,
  node: 'A scheduler lets that machine join that has the same line: offsite scheduler',
};

/** `offsite keygen`: a key by which a user and a daemon know each other. */
export const keygen: Command = {
  name: 'keygen',
  description: 'Make a key by which a user and a daemon know each other',
  args: {
    user: { type: 'string', valueHint: 'NAME', description: 'Whose key it is (default: your name here)' },
    admin: { type: 'boolean', description: 'Its user may also steer daemons' },
    out: {
      type: 'string',
      valueHint: 'FILE',
      description: 'Where it is put, - for the standard output (default: ~/.config/offsite/key)',
    },
    node: {
      type: 'boolean',
      description: 'For a machine that serves as a node of a scheduler, and may do nothing else',
    },
    append: { type: 'boolean', description: 'Add it to a file that has keys already' },
  },
  notes: [
    [
      'FILES',
      '',
      '  Each line of a file is a key. A daemon has a file with the keys of all its users, each user one with his own.',
      '  It is made for you alone (mode 0600), is never overwritten, and is refused if others can read it.',
    ].join('\n'),
  ],
  examples: [
    ['offsite keygen', 'Your own key, where offsite looks for it'],
    ['offsite keygen --user ada --out ada.key', 'One for somebody else'],
    ['offsite keygen --user node-1 --node --out node.key', 'One for a machine that joins a scheduler'],
    ['offsite keygen --admin --append', 'A second one of yours, by which daemons can be steered'],
  ],
  run: async ({ args, rest }) => {
    if (rest[0] !== undefined)
      throw new UsageError(
        `keygen takes no operand, and "${rest[0].slice(0, 15)}" was given.`,
        'Use --user or --out',
      );
    const user = typeof args.user === 'string' ? args.user : userInfo().username;
    if (!isUserName(user))
      throw new UsageError(
        `"${user}" can not be a user's name: those are ${USER_NAMES}.`,
        'Give one with --user',
      );
    if (args.admin === true && args.node === true)
      throw new UsageError('A key is for one domain, and --admin and --node were given.', 'Make two keys');
    const key = newKey(user, args.admin === true ? 'admin' : args.node === true ? 'node' : 'use');
    const line = `${keyLine(key)}\n`;
    const file = typeof args.out === 'string' ? args.out : ownKeyFile();
    if (file === '-') {
      process.stdout.write(line);
      return 0;
    }
    if (args.append === true) {
      // What is no file of keys is somebody else's.
      appendPrivate(file, line, () => parseKeys(readPrivateFile(file, 'out'), file, 'out'));
    } else {
      createPrivate(file, line, 'Give another one with --out, or add to it with --append');
    }
    process.stderr.write(
      `offsite: a key of ${user}${key.domain === 'use' ? '' : ` (${key.domain})`} is in ${file}. ${USED[key.domain]} --secret-file FILE\n`,
    );
    return 0;
  },
};
