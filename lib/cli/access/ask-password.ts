import process from 'node:process';
import { text } from 'node:stream/consumers';
import type { ReadStream } from 'node:tty';
import { UsageError } from '../report.ts';

/** Longer ones are a mistake, and would have to be kept somewhere. */
const LONGEST = 1_024;
const [CTRL_C, CTRL_D, BACKSPACE, CTRL_H, CTRL_U] = ['\u0003', '\u0004', '\u007f', '\b', '\u0015'];

/** The user gave it up, which is not an error. */
export class Interrupted extends Error {}

/** Reads one line from a terminal, which shows nothing of it. Rejects with Interrupted at Ctrl-C. */
const readHidden = (terminal: ReadStream, prompt: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let typed: string[] = [];
    const end = (settle: () => void) => {
      terminal.off('data', read).off('end', gone);
      terminal.setRawMode(false);
      terminal.pause();
      process.stderr.write('\n');
      settle();
    };
    const gone = () => end(() => reject(new Interrupted()));
    const read = (chunk: string) => {
      for (const letter of chunk) {
        if (letter === CTRL_C) return gone();
        if (letter === '\r' || letter === '\n' || letter === CTRL_D)
          return end(() => resolve(typed.join('')));
        if (letter === CTRL_U) typed = [];
        else if (letter === BACKSPACE || letter === CTRL_H) typed.pop();
        else if (letter >= ' ' && typed.length < LONGEST) typed.push(letter);
      }
    };
    // Before anything is asked for: who types at once must not be shown either.
    terminal.setRawMode(true);
    process.stderr.write(prompt);
    terminal.setEncoding('utf8').on('data', read).on('end', gone).resume();
  });

const checked = (password: string): string => {
  if (password === '') throw new UsageError('The password is empty.', 'Give one of a few words');
  if (password.length <= LONGEST) return password;
  throw new UsageError(`The password is longer than ${LONGEST} characters.`, 'Give a shorter one');
};

/** A new password: typed twice at the terminal without being shown, or the first line of the standard input. */
export const askPassword = async (user: string): Promise<string> => {
  const { stdin } = process;
  if (!stdin.isTTY) return checked((await text(stdin)).split(/\r?\n/, 1)[0]!);
  const password = checked(await readHidden(stdin, `A password for ${user}: `));
  if ((await readHidden(stdin, 'Once more: ')) === password) return password;
  throw new UsageError('The two passwords are not the same.', 'Try again');
};
