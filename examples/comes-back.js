// A state machine invokes an actor on another host. The host's process is killed: its supervisor starts it again, and the
// machine the actor, where it was.
//
//   node examples/comes-back.js --host HOST     any host where `ssh HOST node --version` answers; without it, this one
import { parseArgs } from 'node:util';
import { fromSite, RemoteManager, Supervisor } from 'offsite';
import { assign, createActor, setup, waitFor } from 'xstate';

const { values } = parseArgs({ options: { host: { type: 'string', default: 'localhost' } } });
const fork = values.host === 'localhost' ? 'sh' : 'ssh';

const supervisor = new Supervisor({
  children: [{ id: 'worker', start: () => new RemoteManager({ host: values.host, fork }) }],
});
const worker = supervisor.child('worker');

const machine = setup({
  types: { context: /** @type {{ found: readonly number[], deaths: number }} */ ({}) },
  // The actor is started in the site that there is then, and waits for one if there is none.
  actors: { primes: fromSite(worker, new URL('./primes.ts', import.meta.url), 'primes') },
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
      entry: assign({ deaths: ({ context }) => context.deaths + 1 }),
      always: 'looking',
    },
    done: { type: 'final' },
  },
});

await supervisor.ready;
const actor = createActor(machine).start();
try {
  const { context } = await waitFor(actor, (snapshot) => snapshot.context.found.length >= 5);
  console.log(`found ${context.found.join(', ')} in process ${worker.current?.pid}, which is killed now`);
  /** @type {import('offsite').Remote<typeof import('node:process')>} */
  const over = await worker.link('node:process');
  over.kill(worker.current?.pid ?? 0, 'SIGKILL').catch(() => {});
  const end = await waitFor(actor, (snapshot) => snapshot.status === 'done');
  const { found, deaths } = end.context;
  console.log(`found ${found.join(', ')} in process ${worker.current?.pid}, after ${deaths} death`);
} finally {
  actor.stop();
  await supervisor.close();
}
