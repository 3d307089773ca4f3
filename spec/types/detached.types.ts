// Checked by `tsc --noEmit` alone: nothing here runs.
import {
  type AttachOptions,
  type ByReference,
  type OfferOptions,
  offer,
  type Remote,
  RemoteManager,
  retract,
  TicketError,
  type TicketReason,
  type TicketTerms,
  take,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare const typeOf: <T>(value: T) => { is<U>(...proof: Equal<T, U> extends true ? [] : [never]): void };
declare const of: <T>() => T;

const site = new RemoteManager({ detach: true, idleTimeout: 1_000 });
typeOf(site.ticket()).is<Promise<string>>();
typeOf(site.ticket({ once: true, expires: new Date() })).is<Promise<string>>();
typeOf(site.disconnect()).is<Promise<void>>();
typeOf(RemoteManager.attach('ticket')).is<RemoteManager>();
typeOf(RemoteManager.attach('ticket', { host: 'bamse', sshOptions: ['-J', 'gate'] })).is<RemoteManager>();
// @ts-expect-error a site that runs has its folder
RemoteManager.attach('ticket', { cwd: '/tmp' });
// @ts-expect-error a time is a number or a Date
void site.ticket({ expires: 'tomorrow' });
typeOf(of<TicketTerms['expires']>()).is<number | Date | undefined>();
typeOf(of<AttachOptions['timeout']>()).is<number | undefined>();

typeOf(offer({ a: 1 })).is<Promise<string>>();
typeOf(of<OfferOptions['host']>()).is<string | undefined>();
typeOf(retract('ticket')).is<boolean>();

type Counter = ByReference<{ add(more: number): number }>;
const counter = await take<Counter>('ticket');
typeOf(counter).is<Remote<Counter>>();
typeOf(await counter.add(1)).is<number>();
typeOf(await take<{ a: number }>('ticket', { host: 'bamse' })).is<{ a: number }>();
typeOf(await take('ticket')).is<unknown>();

const refused = new TicketError('used', 'It was used.');
typeOf(refused.reason).is<TicketReason>();
typeOf(refused.code).is<string>();
