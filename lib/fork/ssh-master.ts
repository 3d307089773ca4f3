import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Companion, guarded } from './companion.ts';
import { explainExit } from './diagnose.ts';
import { ForkError } from './errors.ts';
import { quote, SHELL, STANDARD_PATH } from './first-stage.ts';
import { type SshRequest, sshCommand } from './ssh.ts';

/** What ssh says here as soon as it is logged in and lets others share its connection. */
const CONNECTED = 'offsite: connected';
/** A socket's path has 104 bytes at most on some systems, and ssh appends 17 while it makes one. */
const LONGEST_FOLDER = 104 - 17 - '/ssh'.length - 1;
/** How many cores are for us, by the first that is there of what systems have for it. */
const COUNT_CORES = 'nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || sysctl -n hw.ncpu';

/** A private folder; `/tmp` where the user's own has too long a path for a socket. */
const privateFolder = (): string => {
  const prefix = join(tmpdir(), 'offsite-ssh-');
  return mkdtempSync(Buffer.byteLength(prefix) + 6 > LONGEST_FOLDER ? '/tmp/offsite-ssh-' : prefix);
};

/** How long and by whom. */
export interface SshMasterRequest extends SshRequest {
  readonly signal: AbortSignal;
  /** What it says on its standard error. */
  readonly onLine?: (line: string) => void;
}

/**
 * One connection to a host that several `ssh` share (OpenSSH's ControlMaster). It is a child of this process, and no
 * process in the background as ControlPersist has it: it ends by `end`, or when this process does, and its folder with it.
 */
export class SshMaster {
  readonly #request: SshRequest;
  readonly #companion: Companion;
  /** Words for an `ssh` that is to share the connection; if it is gone, or full (MaxSessions), that makes its own. */
  readonly sharing: readonly string[];
  /** How it ended, once it has. */
  readonly ended: Promise<unknown>;

  private constructor(request: SshRequest, companion: Companion, sharing: readonly string[]) {
    this.#request = request;
    this.#companion = companion;
    this.sharing = sharing;
    this.ended = companion.ended;
  }

  /** Connects; rejects with ForkError, which says why not, or the signal's reason. */
  static async connect(request: SshMasterRequest): Promise<SshMaster> {
    const { host, sshOptions, signal, onLine } = request;
    const folder = privateFolder();
    // ssh fills percent signs in.
    const socket = join(folder, 'ssh').replaceAll('%', '%%');
    const command = sshCommand(
      {
        ...request,
        sshOptions: [
          // No session of its own, so that all of sshd's MaxSessions are for the sites.
          ...['-N', '-n', '-S', socket],
          ...['-o', 'ControlMaster=yes', '-o', 'ControlPersist=no'],
          ...['-o', 'PermitLocalCommand=yes', '-o', `LocalCommand=echo ${CONNECTED}`],
          ...sshOptions,
        ],
      },
      'exit',
    );
    const explain = (death: Parameters<typeof explainExit>[0]) =>
      new ForkError(host, explainExit(death, { engine: 'travel' }));
    try {
      const { companion } = await Companion.start(guarded(command, { signal: 'KILL', trash: folder }), {
        mark: CONNECTED,
        signal,
        explain,
        ...(onLine && { onLine }),
      });
      return new SshMaster(request, companion, ['-S', socket, '-o', 'ControlMaster=no']);
    } catch (cause) {
      rmSync(folder, { recursive: true, force: true });
      throw cause;
    }
  }

  /** How many cores the host has; rejects with ForkError. */
  cores(signal: AbortSignal): Promise<number> {
    return coresOf({
      ...this.#request,
      signal,
      sshOptions: [...this.sharing, ...this.#request.sshOptions],
    });
  }

  /** Ends the connection, and what still shares it. Never rejects. */
  end(): Promise<void> {
    return this.#companion.end();
  }
}

/** How many cores a host has; rejects with ForkError, or the signal's reason. */
export const coresOf = async (request: SshMasterRequest): Promise<number> => {
  const line = `exec ${SHELL} -c ${quote(`PATH=$PATH:${STANDARD_PATH}; echo; echo offsite-cores $(${COUNT_CORES})`)}`;
  const { file, args } = sshCommand(request, line);
  const { exitCode, signal, stdout, stderr } = await execa(file, [...args], {
    reject: false,
    stdin: 'ignore',
    timeout: request.timeout,
    cancelSignal: request.signal,
  });
  request.signal.throwIfAborted();
  const cores = Number(/^offsite-cores (\d+)\s*$/m.exec(stdout ?? '')?.[1]);
  if (cores >= 1) return cores;
  const death = {
    exitCode: exitCode ?? null,
    signal: (signal as NodeJS.Signals | undefined) ?? null,
    stderr: (stderr ?? '').split('\n').filter(Boolean),
  };
  throw new ForkError(
    request.host,
    exitCode === 0
      ? {
          ...death,
          step: 'exit',
          what: 'it does not tell how many cores it has.',
          remedy: "Give a number instead of 'auto'.",
        }
      : explainExit(death, { engine: 'travel' }),
  );
};
