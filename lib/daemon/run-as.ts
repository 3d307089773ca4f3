import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { OptionError } from '../wire/errors.ts';

const run = promisify(execFile);

/** The user as whom sites run. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** What is to be known of him in the environment, where it is known here. */
  readonly user?: string;
  readonly home?: string;
}

/** How long a directory service may take, in milliseconds. */
const LOOK_UP_WITHIN = 10_000;

/** The fields of a user or a group; `undefined` if there is none of that name or number. */
const lookUp = async (database: 'passwd' | 'group', who: string): Promise<string[] | undefined> => {
  try {
    // It knows those of directory services, too.
    const { stdout } = await run('getent', [database, '--', who], { timeout: LOOK_UP_WITHIN });
    return stdout.trimEnd().split('\n')[0]!.split(':');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
    const lines = (await readFile(`/etc/${database}`, 'utf8').catch(() => '')).split('\n');
    return lines.map((line) => line.split(':')).find(([name, , number]) => name === who || number === who);
  }
};

const NUMBER = /^\d{1,10}$/;

const fault = (uid: string, what: string): OptionError =>
  new OptionError('uid', `The option uid is ${JSON.stringify(uid)}, ${what}`);

/**
 * Who is meant by `user`, `user:group`, or numbers in their place. Rejects with OptionError if there is no such user, or
 * if this process may not start others as somebody else.
 */
export const userOf = async (text: string): Promise<RunAs> => {
  const [user = '', group, more] = text.split(':');
  if (user === '' || group === '' || more !== undefined) {
    throw fault(text, 'but must be a user, or a user and a group as in "nobody:nogroup".');
  }
  if (process.getuid?.() !== 0) {
    throw fault(
      text,
      'but only a daemon of root can run sites as somebody else. Leave it out, or start it as root.',
    );
  }
  const known = await lookUp('passwd', user);
  if (!known && !NUMBER.test(user)) throw fault(text, `but there is no user ${user} on this host.`);
  const [name, , uid = user, own = uid, , home] = known ?? [];
  const groupKnown = group === undefined ? undefined : await lookUp('group', group);
  if (group !== undefined && !groupKnown && !NUMBER.test(group)) {
    throw fault(text, `but there is no group ${group} on this host.`);
  }
  if (Number(uid) === 0) throw fault(text, 'which is root, as whom sites run without this option.');
  return {
    uid: Number(uid),
    gid: Number(groupKnown?.[2] ?? group ?? own),
    ...(name !== undefined && { user: name }),
    ...(home !== undefined && { home }),
  };
};
