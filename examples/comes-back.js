// A state machine invokes an actor on another host. Its process is killed, and the machine starts it again, where it was.
//
//   node examples/comes-back.js --host HOST     any host where `ssh HOST node --version` answers; without it, this one
import { parseArgs } from 'node:util';
import { fromSite, RemoteManager } from 'offsite';
import { assign, createActor, setup, waitFor } from 'xstate';

const { values } = parseArgs({ options: { host: { type: 'string', default: 'localhost' } } });
const fork = () => new RemoteManager({ host: values.host, fork: values.host === 'localhost' ? 'sh' : 'ssh' });
let site = fork();

const machine = setup({
  types: { context: /** @type {{ found: readonly number[], deaths: number }} */ ({}) },
  // Asked each time: the actor is started in the site that there is then.
  actors: { primes: fromSite(() => site, new URL('./primes.ts', import.meta.url), 'primes') },
}).createMachine({
  context: { found: [], deaths: 0 },
  initial: 'looking',
  states: {
    looking: {
      invoke: {
        src: 'primes',
        input: ({ context }) => ({ found: context.found, wanted: 12 }),
        onSnapshot: {
          actions: assign({ found: ({ context, event }) => event.snapshot.context?.found ?? context.found }),
        },
        onDone: { target: 'done', actions: assign({ found: ({ event }) => event.output }) },
        onError: {
          target: 'mourning',
          actions: ({ context, event }) =>
            console.log(`${event.error.code}: the site died with ${context.found.length} primes found`),
        },
      },
    },
    mourning: {
      entry: [
        () => {
          site = fork();
        },
        assign({ deaths: ({ context }) => context.deaths + 1 }),
      ],
      always: 'looking',
    },
    done: { type: 'final' },
  },
});

const actor = createActor(machine).start();
try {
  const { context } = await waitFor(actor, (snapshot) => snapshot.context.found.length >= 5);
  console.log(`found ${context.found.join(', ')} in ${site.name}; now its process is killed`);
  /** @type {import('offsite').Remote<typeof import('node:process')>} */
  const over = await site.link('node:process');
  over.kill(site.pid ?? 0, 'SIGKILL').catch(() => {});
  const end = await waitFor(actor, (snapshot) => snapshot.status === 'done');
  console.log(`found ${end.context.found.join(', ')} in ${site.name}, after ${end.context.deaths} death`);
} finally {
  actor.stop();
  await site.close();
}
