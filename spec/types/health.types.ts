// Checked by `tsc --noEmit` alone: nothing here runs.
import { type ActorRefFrom, createActor, fromPromise } from 'xstate';
import {
  type Bond,
  type Down,
  type DownReason,
  type Fault,
  functor,
  link,
  monitor,
  RemoteManager,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };

const site = new RemoteManager({ heartbeat: 500, unreachableTimeout: Number.POSITIVE_INFINITY });
typeOf(site.health.state).is<'starting' | 'idle' | 'busy' | 'unreachable' | 'closed' | 'crashed'>();
typeOf(site.health.busyFor).is<number>();

for await (const fault of site.faults({ signal: AbortSignal.timeout(1) })) {
  typeOf(fault).is<Fault>();
  typeOf(fault.state).is<'ok' | 'tempFail' | 'permFail'>();
  typeOf(fault.at).is<number>();
  typeOf(fault.cause).is<unknown>();
}

const module = await site.apply(functor(() => ({ make: () => () => 1 })));
const actor = createActor(fromPromise(async () => 1));
const down = await monitor(site);
typeOf(down).is<Down<RemoteManager>>();
typeOf(down.target).is<RemoteManager>();
typeOf(down.reason).is<DownReason>();
typeOf((await monitor(module)).target).is<typeof module>();
typeOf((await monitor(actor, {})).target).is<typeof actor>();
await monitor(await module.make());
await monitor(actor as ActorRefFrom<typeof actor.logic>);
typeOf(link(site, module)).is<Bond>();
link(actor, site).unlink();
typeOf(site.close({ cause: new Error('no more') })).is<Promise<void>>();

// @ts-expect-error a number does not go down
void monitor(1);
// @ts-expect-error what lives here has no site
void monitor({ make: () => 1 });
// @ts-expect-error a link is between two
link(site);
