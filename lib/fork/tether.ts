import type { Command } from './fork-method.ts';

/** The descriptor of the pipe whose end tells that the parent is gone. */
export const TETHER_DESCRIPTOR = 3;

/**
 * Runs a command that leads to an engine and ends it when the parent is gone, however the parent went: an `ssh` whose
 * parent was killed stays connected as long as the far end is busy, and so keeps that alive. The watcher waits for the
 * end of a pipe whose other end only the parent has, and to which it never writes.
 */
const SCRIPT = [
  'command -v "$1" >/dev/null 2>&1 || { echo "offsite: command not found: $1" >&2; exit 127; }',
  'exec 4<&0',
  `"$@" <&4 ${TETHER_DESCRIPTOR}<&- 4<&- & command=$!`,
  `{ exec 4<&- </dev/null >/dev/null 2>&1; read -r _ <&${TETHER_DESCRIPTOR}; kill -s KILL -- -$$ || kill -s KILL $command; } & watcher=$!`,
  `exec ${TETHER_DESCRIPTOR}<&- 4<&- </dev/null >/dev/null 2>&1`,
  // A signal to the group is for the command; this waits for it to end, so that nothing outlives this.
  'trap : TERM INT HUP',
  'while wait $command; code=$?; kill -0 $command 2>/dev/null; do :; done',
  // Waited for, so that nothing of the group is left for init to reap.
  'kill $watcher; wait $watcher',
  'exit $code',
].join('; ');

/** The same command, tied to its parent's life. */
export const tether = (command: Command): Command => ({
  ...command,
  file: 'sh',
  args: ['-c', SCRIPT, 'offsite', command.file, ...command.args],
});
