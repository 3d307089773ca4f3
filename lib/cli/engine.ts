import { fstatSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { INPUT_DESCRIPTOR, OUTPUT_DESCRIPTOR } from '../engine/protocol.ts';
import type { Command } from './command.ts';
import { UsageError } from './report.ts';

/**
 * Says whether a descriptor was given to this process by who started it. Node itself takes the lowest free
 * ones for its event loop, so that being open is not enough: those have no file type at all.
 */
const wasGiven = (descriptor: number): boolean => {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket() || stat.isFile() || stat.isCharacterDevice();
  } catch {
    return false;
  }
};

/** `offsite engine`: what a manager starts when it uses the engine that is installed on a host. */
export const engine: Command = {
  name: 'engine',
  description: 'What runs in a site. Managers start it; by hand it is good for --test only',
  args: {
    test: { type: 'boolean', description: 'Prove that the engine can be started here, print one line, exit' },
    bridge: { type: 'boolean', description: 'Lead to a detached site. Managers use it' },
  },
  examples: [
    ['offsite engine --test', 'Is the engine installed here?'],
    ['ssh bamse offsite engine --test', 'Is it installed on bamse, and found by a shell without a terminal?'],
    [
      "OFFSITE_ENGINE='offsite engine' node program.js",
      'Let the managers of a program use the engines that are installed on their hosts',
    ],
  ],
  run: async ({ args, rest }) => {
    if (rest[0] !== undefined) {
      throw new UsageError(
        `An engine takes no operand, and "${rest[0]}" was given.`,
        'Type: offsite engine --help',
      );
    }
    if (args.test === true) {
      process.stdout.write('Remote: Test succeeded...\n');
      return 0;
    }
    const start = () =>
      (
        createRequire(import.meta.url)('offsite/engine') as { startInstalled: () => boolean }
      ).startInstalled();
    if (!wasGiven(INPUT_DESCRIPTOR) || !wasGiven(OUTPUT_DESCRIPTOR) || !start()) {
      throw new UsageError(
        `An engine is started by a manager, which gives it a link on the descriptors ${INPUT_DESCRIPTOR} and ${OUTPUT_DESCRIPTOR}; here there is none.`,
        'To see whether it can run here, type: offsite engine --test; to start one, type: offsite test',
      );
    }
    return 0;
  },
};
