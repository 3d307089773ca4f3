import { SHELL } from '../fork/first-stage.ts';

/**
 * What the first process of a container is to be: it starts a command, passes signals on to it, ends as it does, and
 * waits for all that loses its parent meanwhile. Node.js can wait for none but what it has started itself; a shell
 * waits for whatever ends.
 */
const INIT = [
  'exec 4<&0',
  '"$@" <&4 4<&- & child=$!',
  'exec 4<&- </dev/null',
  'for signal in TERM INT HUP QUIT USR1 USR2; do trap "kill -s $signal $child 2>/dev/null" $signal; done',
  // A signal interrupts the wait, and its number is no exit code; the child may have ended at that moment.
  'while wait $child; code=$?; kill -0 $child 2>/dev/null; do :; done',
  'if [ $code -gt 128 ]; then wait $child 2>/dev/null; again=$?; [ $again -eq 127 ] || code=$again; fi',
  'exit $code',
].join('; ');

/** The words of a command that runs another one below an init, for the ENTRYPOINT of a container. */
export const initWords = (command: readonly string[]): string[] => [
  SHELL,
  '-c',
  INIT,
  'offsite-init',
  ...command,
];

/** What Node.js can do from 22.15 on: become another program. */
interface Execve {
  execve?(file: string, args: readonly string[], env: NodeJS.ProcessEnv): never;
}

/** Whether this process is the first of its container, so that all that loses its parent becomes its child. */
export const isInit = (): boolean => process.pid === 1;

/**
 * Has this process become an init with this very program below it, and does not return then. Returns false where
 * Node.js can't do that (before 22.15): then the container is to be started with an init, by `docker run --init` or
 * `initWords`, or what its sites leave behind stays a zombie.
 */
export const becomeInit = (): boolean => {
  const { execve } = process as Execve;
  if (!execve) return false;
  const [file, ...args] = initWords([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  return execve.call(process, file!, [file!, ...args], process.env);
};
