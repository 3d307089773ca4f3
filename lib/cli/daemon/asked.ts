import process from 'node:process';
import type { SteeredControl, SteerOptions } from '../../../actors/daemon/steer.ts';
import type { Command, Parsed } from '../command.ts';
import { untilInterrupted } from '../detached/where.ts';
import { UsageError } from '../report.ts';
import { DAEMON, reach } from './reach.ts';

/** A command that has one daemon do something. */
export interface AskedCommand
  extends Pick<Command, 'name' | 'description' | 'operands' | 'takesNumbers' | 'examples'> {
  readonly args?: Command['args'];
  readonly notes?: readonly string[];
  /** How many words it takes behind the options. @default 0 */
  readonly takes?: number;
  /** What an interrupted wait has left behind, for its user. */
  readonly interrupted?: (daemon: SteeredControl) => string;
  /** Is checked before the daemon is looked for. */
  readonly check?: (parsed: Parsed) => void;
  /** Has it done; gives what `--json` prints, and the same for people. */
  readonly ask: (
    daemon: SteeredControl,
    parsed: Parsed,
    options: SteerOptions,
  ) => Promise<{ readonly json: unknown; readonly lines: readonly string[] }>;
}

/** The shell's command that finds the daemon, has it do that, and prints what came of it. */
export const asked = ({
  takes = 0,
  args,
  interrupted,
  check,
  ask,
  notes,
  ...rest
}: AskedCommand): Command => ({
  ...rest,
  args: { ...args, ...DAEMON, json: { type: 'boolean', description: 'Print one line of JSON instead' } },
  notes: [
    ...(notes ?? []),
    [
      'WHICH DAEMON',
      '',
      '  The one of yours on this host; of several the one with that --port or --name. With --host one elsewhere, for',
      '  which you need a key or a certificate of its domain admin.',
    ].join('\n'),
  ],
  run: async (parsed) => {
    const more = parsed.rest[takes];
    if (more !== undefined) {
      throw new UsageError(
        `${rest.name} takes ${takes === 0 ? 'no operand' : 'one operand'}, and "${more.slice(0, 40)}" was given.`,
        `Type: offsite ${rest.name} --help`,
      );
    }
    check?.(parsed);
    const { signal, code, restore } = untilInterrupted();
    let daemon: SteeredControl | undefined;
    try {
      daemon = await reach(parsed, signal);
      const { json, lines } = await ask(daemon, parsed, { signal });
      const text = parsed.args.json === true ? JSON.stringify(json) : lines.join('\n');
      if (text !== '') process.stdout.write(`${text}\n`);
      return 0;
    } catch (cause) {
      if (!signal.aborted || code() === 0) throw cause;
      if (daemon && interrupted) process.stderr.write(`offsite: ${interrupted(daemon)}\n`);
      return code();
    } finally {
      restore();
    }
  },
});
