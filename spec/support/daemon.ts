import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyLine, newKey } from '../../lib/access/key-file.ts';
import { start } from '../cli/cli.ts';

/** A real `offsite serve`, and how it is reached. */
export interface ServedHost {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** The text of a key that opens it. */
  readonly secret: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  close(): Promise<void>;
}

/** The text of a new key, for one who may use daemons. */
export const newSecret = (): string => keyLine(newKey('ada', 'use'));

/** Starts a daemon on a free port, with a key, so that all goes through TLS; `words` are more options of it. */
export const startServe = async (
  words: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  secret = newSecret(),
): Promise<ServedHost> => {
  const folder = mkdtempSync(join(tmpdir(), 'offsite-spec-serve-'));
  const file = join(folder, 'keys');
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  const daemon = start(
    ['serve', '--host', '127.0.0.1', '--port', '0', '--json', '--secret-file', file, ...words],
    { XDG_RUNTIME_DIR: folder, OFFSITE_CONTROL: '1', ...env },
  );
  const [line] = await daemon.until('stdout', /^.*\n/);
  const { addresses, pid } = JSON.parse(line) as { addresses: { port: number }[]; pid: number };
  const { port } = addresses[0]!;
  return {
    host: `127.0.0.1:${port}`,
    port,
    pid,
    secret,
    ended: daemon.ended,
    kill: (signal) => void daemon.child.kill(signal),
    close: async () => {
      // The second one kills what still runs.
      daemon.child.kill('SIGTERM');
      daemon.child.kill('SIGTERM');
      await daemon.ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
