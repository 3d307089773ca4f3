// A short tour: two kinds of site, a module of Node's, a functor, and what a caller gets when its site is killed.
import process from 'node:process';
import { functor, RemoteManager } from 'offsite';

/** Shows a site of a kind at work, and closes it. */
const visit = async (fork, say) => {
  const began = performance.now();
  // TypeScript, and Node from 24 on, can say `await using site = …` here, and leave the closing to it.
  const site = new RemoteManager({ fork });
  await site.ready;
  const ms = (performance.now() - began).toFixed(0);
  say(`${fork.padEnd(7)} ready in ${ms} ms: ${site.name}, pid ${site.pid}`);

  const path = await site.link('node:path');
  say(`        link('node:path').basename('/etc/hosts') is ${await path.basename('/etc/hosts')}`);

  const primes = await site.apply(
    functor({ import: { os: 'node:os' } }, ({ os }) => ({
      machine: () => os.arch(),
      below: (limit) => {
        let count = 1;
        for (let n = 3; n < limit; n += 2) {
          let prime = true;
          for (let d = 3; d * d <= n && prime; d += 2) prime = n % d !== 0;
          if (prime) count += 1;
        }
        return count;
      },
    })),
  );
  say(
    `        a functor counts ${await primes.below(1_000_000)} primes below a million on ${await primes.machine()}, ping ${(await site.ping()).toFixed(2)} ms`,
  );
  await site.close();
};

/** Kills a site in the middle of a call. */
const lose = async (say) => {
  const site = new RemoteManager({ fork: 'sh' });
  const exit = new Promise((resolve) => {
    site.on('exit', resolve);
  });
  const work = await site.apply(
    functor({ import: {} }, () => ({
      begin: () => true,
      forever: () => new Promise(() => setInterval(() => {}, 1000)),
    })),
  );
  await work.begin();
  const call = work.forever();
  say(`sh      pid ${site.pid} is called, and then killed with SIGKILL`);
  // A ping that came back shows that the call, which left before it, has reached the site.
  await site.ping();
  process.kill(site.pid, 'SIGKILL');
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  );
  say(`        the caller gets ${error.name}: ${error.message}`);
  say(`        code ${error.code}, mayHaveRun ${error.mayHaveRun}, signal ${error.signal}`);
  const { reason, signal } = await exit;
  say(`        and its manager says: ${reason}, signal ${signal}; its state is ${site.state}`);
};

/** The whole tour, told line by line. */
export const tour = async (say) => {
  await visit('virtual', say);
  await visit('sh', say);
  await lose(say);
};
