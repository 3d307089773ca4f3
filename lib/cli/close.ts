import process from 'node:process';
import { closeSite, type Named } from '../ticket/clerk.ts';
import type { Command } from './command.ts';
import { answerOf, operandOf, siteHere, WHERE, wayOf } from './detached/where.ts';

type How = Awaited<ReturnType<typeof closeSite>>;

/** `offsite close`: ends a detached site. */
export const close: Command = {
  name: 'close',
  description: 'End a detached site: in order if it hears, by a signal if it does not',
  operands: 'NAME|PID',
  args: WHERE,
  examples: [
    ['offsite close crawler', 'The site named crawler'],
    ['offsite close 4711 --host bamse', 'A site on bamse, by its pid'],
  ],
  run: async (parsed) => {
    const which = operandOf(parsed, 'close');
    const way = wayOf(parsed);
    const closeHere = async () => {
      const site = await siteHere(which);
      return { ...site, how: await closeSite(site) };
    };
    const { name, pid, how } = way
      ? await answerOf<Named & { how: How }>(way, { op: 'close', which })
      : await closeHere();
    if (how === 'failed') {
      throw Object.assign(new Error(`${name} (pid ${pid}) still runs, though it was sent SIGKILL.`), {
        remedy: 'See what its process waits for: ps -o pid,stat,wchan,cmd -p PID',
      });
    }
    process.stdout.write(`${name} (pid ${pid}) is closed${how === 'asked' ? '' : `; it needed ${how}`}\n`);
    return 0;
  },
};
