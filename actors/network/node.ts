import type { AnyFunction, Callable } from '../../lib/cluster/functions.ts';
import type { SendOptions } from '../../lib/cluster/messages/options.ts';
import type { NodeDescription } from '../../lib/cluster/messages/protocol.ts';
import type { CallOptions } from '../../lib/wire/call/options.ts';
import type { ArgsFor, ResultOf } from '../cluster/calls.ts';
import type { NetworkView } from './view.ts';

/** One node of a network, as another one sees it. */
export class NetworkNode {
  /** Its number: 1 is the client, the others count from 2 in the order in which their hosts were given. */
  readonly id: number;
  /** Its host, as whoever connected has named it. */
  readonly name: string;
  /** As its host calls itself. */
  readonly hostname: string;
  /** How many processors its host has for it. */
  readonly nproc: number;
  readonly #network: NetworkView;

  constructor(network: NetworkView, { id, name, hostname, nproc }: NodeDescription) {
    this.#network = network;
    this.id = id;
    this.name = name;
    this.hostname = hostname;
    this.nproc = nproc;
  }

  /** Whether it is the node that asks. */
  get isSelf(): boolean {
    return this.id === this.#network.myid;
  }

  /** Whether it is there. */
  get isOpen(): boolean {
    return this.#network.isOpen(this.id);
  }

  /** Sends it a value; see `send` of the network. */
  send(value: unknown, options?: SendOptions): Promise<void> {
    return this.#network.send(value, this.id, options);
  }

  /** The next value that it has sent here; see `receive` of the network. */
  receive<T = unknown>(options?: SendOptions): Promise<T> {
    return this.#network.receive<T>(this.id, options);
  }

  /** Calls a function there; see `rfeval` of the network. */
  rfeval<F extends AnyFunction>(
    fn: Callable<F>,
    args: ArgsFor<F>,
    options?: CallOptions,
  ): Promise<ResultOf<F>> {
    return this.#network.rfeval(fn, args, this.id, options);
  }
}
