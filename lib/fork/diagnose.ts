import type { ForkFailure } from './errors.ts';
import type { ForkRequest, SiteDeath } from './fork-method.ts';

/** What a command's words on stderr mean, in the order in which they are looked for. */
const SIGNS: readonly [RegExp, (found: RegExpExecArray) => Pick<ForkFailure, 'step' | 'what' | 'remedy'>][] =
  [
    [
      /offsite: command not found: (.*)/,
      ([, command]) => ({
        step: 'command',
        what: `the command "${command}" was not found.`,
        remedy: 'Check its name, the PATH, and that it may be executed.',
      }),
    ],
    [
      /srun: (?:error: )?((?:Unable to|Invalid|Requested|Expired|Job|Memory|Access|Unspecified|Required|Slurm job)\b.*)/,
      ([, said = '']) => ({
        step: 'command',
        what: `Slurm did not start it (${said.replace(/\.$/, '')}).`,
        remedy: 'Check that its job still runs, `squeue --me`, and has what was asked of it.',
      }),
    ],
    [
      /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No .* host key is known/,
      () => ({
        step: 'host-key',
        what: "ssh does not trust the host's key.",
        remedy: 'Log in by hand once (ssh HOST) and compare the key, or mend the entry in known_hosts.',
      }),
    ],
    [
      /Permission denied \(([^)]*)\)|Too many authentication failures|Permission denied, please try again/,
      () => ({
        step: 'login',
        what: 'ssh reached the host but may not log in without asking.',
        remedy:
          'Set up a key (ssh-copy-id HOST, or an agent), so that `ssh -o BatchMode=yes HOST true` works.',
      }),
    ],
    [
      /Could not resolve hostname|Connection refused|Connection timed out|Operation timed out|Host is down|Timeout, server .* not responding|Unable to negotiate|kex_exchange_identification|No route to host|Network is unreachable|Connection closed by|Connection reset/,
      ([sign]) => ({
        step: 'connect',
        what: `the host could not be reached (${sign}).`,
        remedy: "Check the host's name and port, and that its sshd runs: `ssh HOST true`.",
      }),
    ],
    [
      /offsite: the engine arrived damaged/,
      () => ({
        step: 'engine',
        what: 'the engine did not arrive as it was sent.',
        remedy:
          'Something on the way changes what passes; use a command that carries bytes as they are (no terminal).',
      }),
    ],
    [
      /offsite: node not found: (.*)/,
      ([, where]) => ({
        step: 'node',
        what: `there is no Node.js to be found over there, neither ${where}.`,
        remedy: 'Install it, or say where it is with the option nodePath.',
      }),
    ],
    [
      /offsite: (?:command )?not found|offsite.*No such file/i,
      () => ({
        step: 'engine',
        what: 'there is no `offsite` over there.',
        remedy:
          'Install it there, or leave the option engine and OFFSITE_ENGINE alone, so that the engine is sent.',
      }),
    ],
    [
      /bad option: (\S+)/,
      ([, option]) => ({
        step: 'node',
        what: `its Node.js does not know the option ${option}.`,
        remedy: 'Check execArgv against the version of Node.js over there.',
      }),
    ],
  ];

/** Says why a command ended before the engine spoke. */
export const explainExit = (death: SiteDeath, { engine }: Pick<ForkRequest, 'engine'>): ForkFailure => {
  const { exitCode, signal, stderr } = death;
  const common = { exitCode, signal, stderr };
  const said = stderr.join('\n');
  for (const [sign, explain] of SIGNS) {
    const found = sign.exec(said);
    if (found) return { ...common, ...explain(found) };
  }
  if ((exitCode === 127 || exitCode === 126) && (engine === 'installed' || process.env.OFFSITE_ENGINE)) {
    return {
      ...common,
      step: 'engine',
      what: `the shell could not run the engine's command (exit code ${exitCode}).`,
      remedy: 'Check OFFSITE_ENGINE, or leave it and the option engine alone, so that the engine is sent.',
    };
  }
  if (exitCode === 127 || exitCode === 126) {
    return {
      ...common,
      step: 'node',
      what: `the shell could not run the command (exit code ${exitCode}).`,
      remedy:
        'Check that `node` is on the PATH of a non-interactive shell there, or set the option nodePath.',
    };
  }
  const how = signal ? `by ${signal}` : `with exit code ${exitCode}`;
  return {
    ...common,
    step: 'exit',
    what: `the command ended ${how} before the engine spoke.`,
    remedy: 'Run the fork command by hand with `node --version` behind it, and see what it prints.',
  };
};

/** What the operating system says when it is not the command's fault. */
const EXHAUSTED: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

/** Says why a command could not be run at all. */
export const explainSpawn = (command: string, cause: unknown): ForkFailure => {
  const { code } = cause as NodeJS.ErrnoException;
  const what =
    code === 'ENOENT'
      ? `the command "${command}" was not found.`
      : `the command "${command}" could not be run (${code ?? String(cause)}).`;
  const remedy = EXHAUSTED.has(code)
    ? 'This program has no descriptors, processes or memory left: end sites that it does not need, or raise its limits (ulimit -n, ulimit -u).'
    : 'Check its name, the PATH, and that it may be executed.';
  return { step: 'command', what, remedy, cause };
};

/** The oldest version of Node.js that the engine runs on. */
const OLDEST_NODE = [20, 19] as const;

/** Why a version of Node.js can't run the engine; `undefined` if it can. */
export const explainVersion = (version: string): ForkFailure | undefined => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return undefined;
  return {
    step: 'version',
    what: `Node.js ${version} over there is too old: a site needs ${OLDEST_NODE.join('.')} or newer (this program has ${process.versions.node}).`,
    remedy: 'Install a newer one there, or name it with the option nodePath.',
  };
};
