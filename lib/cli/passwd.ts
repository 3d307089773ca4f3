import { existsSync } from 'node:fs';
import process from 'node:process';
import { isUserName, USER_NAMES } from '../access/key-file.ts';
import { parsePasswords, withoutPassword, withPassword } from '../access/password-file.ts';
import { readPrivateFile } from '../access/private-file.ts';
import { askPassword, Interrupted } from './access/ask-password.ts';
import { createPrivate, replacePrivate } from './access/private-output.ts';
import type { Command } from './command.ts';
import { UsageError } from './report.ts';

/** As a shell tells of Ctrl-C. */
const INTERRUPTED = 130;

const say = (line: string) => process.stderr.write(`offsite: ${line}\n`);

/** `offsite passwd`: passwords by which a daemon knows its users. */
export const passwd: Command = {
  name: 'passwd',
  description: "Set a user's password in a daemon's file, which holds only what proves it",
  operands: 'USER',
  args: {
    file: { type: 'string', valueHint: 'FILE', description: "The daemon's file of passwords; it is made" },
    admin: { type: 'boolean', description: 'The user may also steer the daemon' },
    remove: { type: 'boolean', description: 'Take the user out' },
  },
  notes: [
    [
      'PASSWORDS',
      '',
      '  One is typed twice and not shown, or is the first line of the standard input; never on the command line, which',
      '  everybody here can see. A daemon that runs (offsite serve --password-file FILE) sees the change at once.',
    ].join('\n'),
  ],
  examples: [
    ['offsite passwd ada --file passwords', 'Set or change the password of ada'],
    ['pass offsite/ada | offsite passwd ada --file passwords', 'The same from a password store'],
    ['offsite passwd ada --file passwords --remove', 'She has no access any more'],
  ],
  run: async ({ args, rest }) => {
    const [user, more] = rest;
    if (user === undefined)
      throw new UsageError('passwd needs the name of a user.', 'Type: offsite passwd USER --file FILE');
    if (more !== undefined)
      throw new UsageError(
        'passwd takes one user and nothing behind him.',
        'Give the password at the terminal or on the standard input',
      );
    if (!isUserName(user))
      throw new UsageError(
        `"${user}" can not be a user's name: those are ${USER_NAMES}.`,
        'Give another one',
      );
    const { file } = args;
    if (typeof file !== 'string')
      throw new UsageError('passwd needs --file.', `Type: offsite passwd ${user} --file FILE`);
    const read = () => (existsSync(file) ? readPrivateFile(file, 'file') : undefined);
    // Before somebody types a password for nothing.
    const before = read();
    if (before !== undefined) parsePasswords(before, file);
    if (args.remove === true) {
      const left = before === undefined ? undefined : withoutPassword(before, user);
      if (left === undefined) throw new UsageError(`${file} has no password of ${user}.`, 'See to the name');
      replacePrivate(file, left);
      say(`${user} is not in ${file} any more.`);
      return 0;
    }
    let password: string;
    try {
      password = await askPassword(user);
    } catch (error) {
      if (error instanceof Interrupted) return INTERRUPTED;
      throw error;
    }
    const domain = args.admin === true ? 'admin' : 'use';
    const text = await withPassword(read(), user, domain, password);
    if (before === undefined) createPrivate(file, text, 'Another one has made it just now: try again');
    else replacePrivate(file, text);
    say(`The password of ${user} is set in ${file}.`);
    return 0;
  },
};
