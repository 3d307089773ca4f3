// Checked by `tsc --noEmit` alone: nothing here runs.
import { type Actor, type AnyActorRef, createActor, fromTransition } from 'xstate';
import {
  type Child,
  type ChildExit,
  RemoteManager,
  type Supervised,
  Supervisor,
  type SupervisorExit,
  type TreeNode,
  tree,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

const counter = fromTransition((count: number) => count, 0);

export const supervision = async () => {
  const supervisor = new Supervisor({
    strategy: 'rest_for_one',
    backoff: { initial: 5 },
    children: [
      { id: 'site', start: () => new RemoteManager(), setup: (site) => site.link('./a.js') },
      { id: 'later', start: async () => new RemoteManager(), shutdown: 'brutal' },
      {
        id: 'below',
        start: () =>
          new Supervisor({
            strategy: 'simple_one_for_one',
            children: [{ id: 'x', start: (n: number) => createActor(counter, { input: n as never }) }],
          }),
      },
      { id: 'actor', start: counter, restart: 'transient', shutdown: 10 },
    ],
  });
  typeOf(supervisor).is<Supervisor<[spec: import('../../lib/index.ts').ChildSpec]>>();
  typeOf(supervisor.child('site')).is<Child<RemoteManager>>();
  typeOf(supervisor.child('site').current).is<RemoteManager | undefined>();
  typeOf(await supervisor.child<Actor<typeof counter>>('actor').whenUp()).is<Actor<typeof counter>>();
  typeOf(await supervisor.startChild({ id: 'b', start: counter })).is<Child<RemoteManager>>();
  typeOf(await supervisor.ended).is<SupervisorExit>();
  typeOf(supervisor.whichChildren()[0]!.current).is<Supervised | undefined>();
  typeOf(await tree({ timeout: 5 })).is<TreeNode>();
  supervisor
    .on('down', (child, exit) => {
      typeOf(child).is<Child<RemoteManager>>();
      typeOf(exit).is<ChildExit>();
    })
    .on('exit', (exit) => typeOf(exit).is<SupervisorExit>());
  supervisor.child<AnyActorRef>('actor').on('up', (current) => typeOf(current).is<AnyActorRef>());

  const pool = new Supervisor({
    strategy: 'simple_one_for_one',
    children: [
      {
        id: 'worker',
        start: (host: string, port?: number) => new RemoteManager({ host: `${host}:${port}` }),
      },
    ],
  });
  typeOf(pool).is<Supervisor<[host: string, port?: number]>>();
  await pool.startChild('bamse');
  await pool.startChild('bamse', 22);
  // @ts-expect-error a host is a string
  await pool.startChild(1);
  // @ts-expect-error a template takes no spec
  await pool.startChild({ id: 'a', start: counter });
  // @ts-expect-error a start gives a child
  new Supervisor({ children: [{ id: 'a', start: () => 1 }] });
  // @ts-expect-error a static child's start has no arguments
  new Supervisor({ children: [{ id: 'a', start: (host: string) => new RemoteManager({ host }) }] });
  // @ts-expect-error there is no such strategy
  new Supervisor({ strategy: 'one' });
  // @ts-expect-error there is no such event
  supervisor.on('ready', () => {});
};
