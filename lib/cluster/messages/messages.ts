import { availableParallelism, hostname } from 'node:os';
import type { Remote } from '../../module/remote.ts';
import { TimeoutError } from '../../wire/errors.ts';
import type { Broadcast } from '../broadcast/broadcast.ts';
import { packApart, unpack } from '../broadcast/packed.ts';
import { ClusterClosedError, ProcessExitedException, RemoteException } from '../errors.ts';
import type { FunctionText, Outcome } from '../function-text.ts';
import type { Member } from '../member.ts';
import { NoNetworkError } from './errors.ts';
import { Failures } from './failures.ts';
import { Mailbox } from './mailbox.ts';
import type { SelectOptions, SendOptions } from './options.ts';
import { Outgoing } from './outgoing.ts';
import type { CommandName, Layout, MessagesService, Surroundings } from './protocol.ts';
import { Waits } from './waits.ts';

/** How long a message that was given up may take to be dropped over there, in milliseconds. */
const RECALL_WITHIN = 5_000;

/** A message as it was read. */
export interface Received {
  readonly from: number;
  readonly value: unknown;
}

/** A command that was sent to a node. */
export interface Commanded {
  /** What it gives; rejects as calls do. */
  readonly result: Promise<unknown>;
  /** Somebody looks at `result`, so that nobody else has to be told of a failure. */
  readonly looked: () => void;
}

/** The messages' part of another member's service. */
export const messagesOf = (peer: Remote<{ messages: MessagesService }>): MessagesService =>
  peer.messages as unknown as MessagesService;

/** The mailbox of one process of a cluster, its ways to those of others, and what failed while somebody waits for it. */
export class Messages {
  /** What was installed here, by name. */
  readonly variables: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  readonly #member: Member;
  readonly #mailbox = new Mailbox();
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #waits = new Waits();
  readonly #failures = new Failures();
  #layout: Layout | undefined;
  #commands = 0;

  constructor(member: Member) {
    this.#member = member;
  }

  /** The network that this process is in. Throws NoNetworkError. */
  get layout(): Layout {
    if (this.#layout) return this.#layout;
    throw new NoNetworkError(
      'This process is in no network: currentNetwork() is for what runs in the nodes of Network.connect().',
    );
  }

  get isOpen(): boolean {
    return this.#layout !== undefined;
  }

  /** What nobody was told of: commands of this process that have failed. */
  get forgotten() {
    return this.#failures.forgotten;
  }

  /** See MessagesService. */
  describe(): Surroundings {
    return { hostname: hostname(), nproc: availableParallelism() };
  }

  /** See MessagesService. */
  open(layout: Layout): void {
    const first = !this.#layout;
    this.#layout = layout;
    this.#mailbox.bounds = layout.mailbox;
    if (!first) return;
    this.#member.onLeave(() => this.#waits.look());
    this.#member.onClose(() => {
      this.#waits.look();
      this.#mailbox.close(new ClusterClosedError());
    });
  }

  /** See MessagesService. */
  deliver: MessagesService['deliver'] = (from, messages) => {
    const delivered = this.#mailbox.deliver(from, messages);
    this.#waits.look();
    return delivered;
  };

  /** See MessagesService. */
  recall(from: number, number: number): void {
    this.#mailbox.recall(from, number);
    this.#waits.look();
  }

  /** See MessagesService. */
  async install(broadcast: Broadcast<Readonly<Record<string, unknown>>>): Promise<void> {
    Object.assign(this.variables, await this.#member.broadcasts.load(broadcast));
  }

  /** See MessagesService. */
  async adopt(node: number): Promise<void> {
    const variables = await this.#member.ask(node, {}, (peer) => messagesOf(peer).variables());
    Object.assign(this.variables, variables);
  }

  /** See MessagesService. */
  async command(
    command: CommandName,
    nodes: readonly number[],
    fn: FunctionText,
    args: readonly unknown[],
  ): Promise<Outcome> {
    this.#failures.begin(command);
    try {
      const outcome = await this.#member.service.perform(fn, args);
      if ('error' in outcome) this.#tellOthers(command, nodes, outcome.error);
      return outcome;
    } finally {
      this.#failures.end(command);
    }
  }

  /** See MessagesService. */
  failed(command: CommandName, node: number, error: unknown): void {
    this.#failures.addOther(command, node, new RemoteException(node, error));
    this.#waits.look();
  }

  /**
   * Sends a value; resolves when it is in the mailbox over there. Rejects with UnserializableError,
   * ProcessExitedException, NoProcessError, TimeoutError, or the signal's reason.
   */
  async send(to: number, value: unknown, options: SendOptions): Promise<void> {
    this.#member.check(to);
    return this.#to(to).send(packApart(value), options);
  }

  /**
   * Waits for the next message of a node, or of any, each in its turn. Rejects with CommandError,
   * ProcessExitedException, ClusterClosedError, TimeoutError, or the signal's reason.
   */
  receive(from: number | undefined, options: SendOptions): Promise<Received> {
    const of = from === undefined ? undefined : [from];
    return this.#waits.wait(
      () => {
        const [next] = this.#mailbox.readable(of);
        if (next === undefined) return this.#refuse(of);
        const packed = this.#mailbox.take(next);
        // The bytes of a message from elsewhere are nobody else's.
        return { value: { from: next, value: unpack(packed, next !== this.#member.id) } };
      },
      options,
      () => {
        const whom = from === undefined ? 'any node' : `node ${from}`;
        const { timeout = 0 } = options;
        throw new TimeoutError(
          `No message of ${whom} has come to node ${this.#member.id} within ${timeout} ms.`,
          timeout,
        );
      },
    );
  }

  /**
   * Waits until something of one of these can be read, and gives all of those, the one first whose turn it is; none if
   * the time is over. Rejects as `receive`.
   */
  select(of: readonly number[] | undefined, { most, ...options }: SelectOptions): Promise<number[]> {
    return this.#waits.wait<number[]>(
      () => {
        const readable = this.#mailbox.readable(of);
        return readable.length > 0 ? { value: readable.slice(0, most) } : this.#refuse(of);
      },
      options,
      () => [],
    );
  }

  /** Sends a command to nodes, without waiting. What fails is told to who waits for messages of that node, too. */
  evaluate(nodes: readonly number[], fn: FunctionText, args: readonly unknown[]): Map<number, Commanded> {
    const command = { from: this.#member.id, number: ++this.#commands };
    return new Map(nodes.map((id) => [id, this.#evaluateAt(id, command, nodes, fn, args)]));
  }

  #evaluateAt(
    id: number,
    command: CommandName,
    nodes: readonly number[],
    fn: FunctionText,
    args: readonly unknown[],
  ): Commanded {
    let looked = false;
    let takeBack = () => {};
    const result = this.#member
      .ask(id, {}, (peer) => messagesOf(peer).command(command, nodes, fn, args) as Promise<Outcome>)
      .then((outcome) => {
        if ('error' in outcome) throw new RemoteException(id, outcome.error);
        return outcome.value;
      });
    result.catch((error: unknown) => {
      // The end of a process or of the network is told to all who wait for it anyway.
      if (error instanceof ProcessExitedException || this.#member.closed) return;
      takeBack = this.#failures.add(id, error);
      this.#waits.look();
      if (looked) takeBack();
    });
    return {
      result,
      looked: () => {
        looked = true;
        takeBack();
      },
    };
  }

  #tellOthers(command: CommandName, nodes: readonly number[], error: unknown): void {
    const { id } = this.#member;
    for (const other of nodes) {
      // Whoever has asked for it learns of it by the answer.
      if (other === id || other === command.from) continue;
      this.#member.ask(other, {}, (peer) => messagesOf(peer).failed(command, id, error)).catch(() => {});
    }
  }

  /** Throws why nothing will come of these that are waited for. */
  #refuse(of: readonly number[] | undefined): undefined {
    const failure = this.#failures.tell(of);
    if (failure) throw failure;
    const member = this.#member;
    if (member.closed) throw new ClusterClosedError();
    const nodes = of ?? this.layout.nodes.map(({ id }) => id).filter((id) => id !== member.id);
    const gone = nodes.filter((id) => member.departed(id) !== undefined);
    // Of any: as long as there is one.
    const [first] = of || gone.length === nodes.length ? gone : [];
    if (first === undefined) return undefined;
    const what = 'nothing of it is left to read';
    throw new ProcessExitedException(first, member.departed(first)!, false, { what });
  }

  #to(id: number): Outgoing {
    let outgoing = this.#outgoing.get(id);
    if (!outgoing) {
      const { id: from } = this.#member;
      outgoing = new Outgoing(`Node ${id}`, {
        deliver: (messages) => this.#member.ask(id, {}, (peer) => messagesOf(peer).deliver(from, messages)),
        recall: (number) => {
          this.#member
            .ask(id, { timeout: RECALL_WITHIN }, (peer) => messagesOf(peer).recall(from, number))
            .catch(() => {});
        },
      });
      this.#outgoing.set(id, outgoing);
    }
    return outgoing;
  }
}
