import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { DAEMON_PORT } from '../access/dial.ts';
import { becomeInit, isInit } from '../daemon/init.ts';
import type { Command, Parsed } from './command.ts';
import { messageOf, ownRemedyOf, UsageError } from './report.ts';
import { announce } from './serve/announce.ts';
import { ownLogFile, startBackground, takeBackground } from './serve/background.ts';
import { configText, givenConfig, saveTo } from './serve/config.ts';
import { daemonOptionsOf } from './serve/daemon-options.ts';
import { SERVE_ARGS } from './serve/options.ts';
import type { ServeConfig } from './serve/schema.ts';
import { serveHere } from './serve/serve-here.ts';

const save = (config: ServeConfig, to: string): void => {
  const text = configText(config);
  if (to === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(to, text);
  } catch (cause) {
    throw new UsageError(
      `The configuration can not be written to ${to}: ${(cause as Error).message}.`,
      'Leave the file out to print it: --save-config',
    );
  }
};

/** Serves in the background; returns when it does, or with what kept it from that. */
const toBackground = async (config: ServeConfig): Promise<number> => {
  const logFile = config['log-file'] ?? ownLogFile(config.port ?? DAEMON_PORT);
  const words = process.argv.slice(3);
  const word = await startBackground(words, logFile);
  if ('failed' in word) {
    throw Object.assign(new Error(word.failed.message), { remedy: word.failed.remedy });
  }
  announce(word.serving, config.json === true);
  if (config.json !== true) process.stderr.write(`offsite: it logs to ${logFile}\n`);
  return 0;
};

const run = async (parsed: Parsed): Promise<number> => {
  if (parsed.rest.length > 0) {
    // Not repeated: somebody may have typed a secret.
    throw new UsageError('serve takes no operand, and one was given.', 'Type: offsite serve --help');
  }
  // Taken before anything else, so that whatever goes wrong is told.
  const tell = takeBackground();
  try {
    const config = givenConfig(parsed);
    const options = daemonOptionsOf(config);
    const to = saveTo(parsed);
    if (to !== undefined) {
      save(config, to);
      return 0;
    }
    if (config.daemon === true && !tell) return await toBackground(config);
    if (isInit() && !becomeInit()) {
      // Said and not refused: a node whose sites start nothing leaves nothing.
      process.stderr.write(
        'offsite: this is process 1, and what its sites leave behind stays a zombie: give the container an init (docker run --init), or Node.js 22.15 or newer\n',
      );
    }
    return await serveHere({ config, options, tell: tell && ((serving) => tell({ serving })) });
  } catch (cause) {
    const remedy = ownRemedyOf(cause);
    await tell?.({ failed: { message: messageOf(cause), ...(remedy !== undefined && { remedy }) } });
    throw cause;
  }
};

/** `offsite serve`: a daemon that starts sites here for clients elsewhere. */
export const serve: Command = {
  name: 'serve',
  description: 'Wait here for clients, and start sites for them',
  args: SERVE_ARGS,
  valuesLeftOut: { 'save-config': '-' },
  notes: [
    [
      'WHO MAY COME IN',
      '',
      '  Without credentials it listens on loopback only, for your own programs on this host. To listen elsewhere it',
      '  needs keys (offsite keygen, --secret-file), certificates (--certfile, --keyfile, --ca) or passwords',
      '  (offsite passwd, --password-file). A secret never stands on a command line: options name files.',
    ].join('\n'),
    [
      'STEERING',
      '',
      '  offsite status, clients, drain, resume, set-cpus and stop are about the daemon that runs here, or with --host',
      '  about one elsewhere. SIGUSR1 prints the status on stderr.',
    ].join('\n'),
    [
      'THE END',
      '',
      '  SIGTERM, SIGINT and SIGHUP have it start nothing more and end when what runs has ended; a second one kills',
      '  that. The exit code is 0 if it ended in order, 1 if it could not serve, 64 for options that make no sense, and',
      '  143, 130 or 129 after the second signal.',
    ].join('\n'),
  ],
  examples: [
    ['offsite serve', 'For your own programs on this host'],
    ['offsite serve --secret-file keys', 'For whoever has one of these keys, which offsite keygen makes'],
    ['offsite serve --service-start 17:00 --service-stop 6:00 --service-end 8:00', 'At night'],
    ['offsite serve --cpus -1 --label gpu=a100 --save-config node.json', 'Writes a configuration'],
    ['offsite serve --config node.json --daemon --pid-file ~/serve.pid', 'In the background, with it'],
    ['offsite serve --serve 1 --idle-exit 600', 'For one client, or ten minutes without any'],
  ],
  run,
};
