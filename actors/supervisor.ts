import { EventEmitter } from 'node:events';
import { type Actor, type AnyActorLogic, type AnyActorRef, createActor } from 'xstate';
import type { TreeNode } from '../lib/engine/tree.ts';
import { offerControl } from './control.ts';
import { deferred } from './remote-manager/deferred.ts';
import type { RemoteManager } from './remote-manager.ts';
import { adopt, release } from './root.ts';
import type { Child, ChildRecord } from './supervisor/child.ts';
import type { CheckedSpec, ChildSpec, Supervised } from './supervisor/child-spec.ts';
import { Children } from './supervisor/children.ts';
import type { ChildExit, SupervisorExit } from './supervisor/exit.ts';
import { type SupervisorEvent, supervisorMachine } from './supervisor/machine.ts';
import { checkSupervisorOptions, type SupervisorOptions } from './supervisor/options.ts';
import { type ChildCounts, type ChildInfo, Requests } from './supervisor/requests.ts';
import type { Strategy } from './supervisor/strategy.ts';
import { supervisorNode } from './supervisor/supervisor-node.ts';

interface SupervisorEvents {
  /** It has ended, and so have its children. */
  exit: [SupervisorExit];
  /** A child works, for the first time or again. */
  up: [Child];
  /** A child that worked does not any more. */
  down: [Child, ChildExit];
}

/** How long each site is asked for its part of the tree, in milliseconds, unless the caller says otherwise. */
const TREE_WITHIN = 1_000;

let supervisors = 0;

/**
 * Keeps sites, actors and other supervisors alive, as OTP's `supervisor` does: it starts its children at once, in
 * order, starts those again that die, and gives up when that happens too often. `await using` closes it. Throws
 * OptionError. `Args` is what `startChild` takes: a child spec, or what a template's `start` does.
 */
export class Supervisor<Args extends readonly unknown[] = [spec: ChildSpec]> implements AsyncDisposable {
  readonly name: string;
  readonly strategy: Strategy;
  /** The state machine behind this, for those who want to observe it; it is not to be sent events. */
  readonly actor: Actor<typeof supervisorMachine>;
  /** Resolves once it and its children have ended, however they did; tells why. Never rejects. */
  readonly ended: Promise<SupervisorExit>;
  readonly #ready: Promise<void>;
  readonly #events = new EventEmitter<SupervisorEvents>();
  readonly #children: Children;
  readonly #requests: Requests;
  /** Somebody looks at how it starts. */
  #watched = false;

  constructor(options: SupervisorOptions<Args> = {}) {
    const checked = checkSupervisorOptions(options);
    this.name = checked.name ?? `supervisor/${++supervisors}`;
    this.strategy = checked.strategy;
    this.#children = new Children(checked, {
      name: this.name,
      // Below this machine: one system, so that children find each other by their system ids.
      spawn: (logic: AnyActorLogic, { id, input, systemId }: CheckedSpec) =>
        createActor(logic, { id, input, systemId, parent: this.actor }),
      owns: (ref: AnyActorRef) => ref._parent === undefined || ref._parent === this.actor,
      stop: (ref: AnyActorRef) => {
        if (ref._parent === this.actor) this.actor.send({ type: 'stopActor', ref });
        else (ref as Actor<AnyActorLogic>).stop();
      },
      giveUp: (exit) => this.#send({ type: 'giveUp', exit }),
      up: ({ child }: ChildRecord) => this.#emit('up', child),
      down: ({ child }: ChildRecord, exit) => this.#emit('down', child, exit),
    });
    this.#requests = new Requests(this.#children);
    this.actor = createActor(supervisorMachine, {
      input: { life: this.#children },
      ...(checked.clock && { clock: checked.clock }),
    });
    const { promise: ready, resolve, reject } = deferred<void>();
    const { promise: ended, resolve: end } = deferred<SupervisorExit>();
    this.#ready = ready;
    this.ended = ended;
    // Who only calls learns of a failed start from the calls.
    ready.catch(() => {});
    this.actor.subscribe(({ value, context, status }) => {
      if (value === 'running') resolve();
      if (status !== 'done') return;
      const { exit } = context;
      reject(exit.cause ?? this.#children.closed());
      const owned = release(this);
      end(exit);
      // Nobody else would learn of it.
      if (exit.cause && owned && !this.#watched && this.#events.listenerCount('exit') === 0) {
        process.emitWarning(exit.cause.message, { code: 'OFFSITE_SUPERVISOR_ENDED' });
      }
      this.#emit('exit', exit);
    });
    adopt(this);
    offerControl();
    this.actor.start();
  }

  /** Resolves when all children are up for the first time; rejects with ChildStartError or SupervisorClosedError. */
  get ready(): Promise<void> {
    this.#watched = true;
    return this.#ready;
  }

  get state(): 'starting' | 'running' | 'stopping' | 'ended' {
    return this.actor.getSnapshot().value;
  }

  /**
   * The child of that id: one object through all restarts, with what it stands for as `current`. Throws NoChildError.
   * The type is the caller's word.
   */
  child<T extends Supervised = RemoteManager>(id: string): Child<T> {
    return this.#requests.find(id).child;
  }

  /**
   * Starts one more child, and resolves when it is up. Rejects with ChildStartError, and then its spec is not kept; with
   * ChildStateError if its id is taken, and with OptionError.
   */
  startChild<T extends Supervised = RemoteManager>(...args: Args): Promise<Child<T>> {
    return this.#requests.startChild(args);
  }

  /** Ends a child, or takes back its restart; resolves when it has ended. Its spec is kept, unless it is temporary. */
  terminateChild(id: string): Promise<void> {
    return this.#requests.terminateChild(id);
  }

  /** Starts a child again that is down. Rejects with ChildStateError, or ChildStartError. */
  restartChild<T extends Supervised = RemoteManager>(id: string): Promise<Child<T>> {
    return this.#requests.restartChild(id);
  }

  /** Forgets a child that is down. Rejects with ChildStateError. */
  deleteChild(id: string): Promise<void> {
    return this.#requests.deleteChild(id);
  }

  /** The children in the order of their start. */
  whichChildren(): ChildInfo[] {
    return this.#requests.whichChildren();
  }

  countChildren(): ChildCounts {
    return this.#requests.countChildren();
  }

  /** A child's spec with its defaults. Throws NoChildError. */
  getChildSpec(id: string): CheckedSpec {
    return this.#requests.getChildSpec(id);
  }

  /** This supervisor and all below it, as `tree()` shows them; each site is asked for `timeout` ms. Never rejects. */
  tree({ timeout = TREE_WITHIN }: { timeout?: number } = {}): Promise<TreeNode> {
    return supervisorNode(this, this.#children.records, timeout);
  }

  /**
   * Ends the children in the reverse order of their start, each as its spec says, and then itself. After `timeout` ms
   * all that are left are killed. Can be called again; never rejects.
   */
  async close({ timeout }: { timeout?: number } = {}): Promise<void> {
    this.#send({ type: 'close', timeout });
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Calls `listener` when it happens; `exit` soon, if it has happened already. */
  on<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this {
    if (event === 'exit' && this.actor.getSnapshot().status !== 'active') {
      queueMicrotask(() =>
        (listener as (exit: SupervisorExit) => void)(this.actor.getSnapshot().context.exit),
      );
    } else this.#events.on(event as never, listener as never);
    return this;
  }

  /** Takes a listener back. */
  off<E extends keyof SupervisorEvents>(event: E, listener: (...args: SupervisorEvents[E]) => void): this {
    this.#events.off(event as never, listener as never);
    return this;
  }

  /** What happens to a supervisor that has ended does not matter any more. */
  #send(event: SupervisorEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  /** A listener that throws must fail its owner, and not the supervisor that is at work. */
  #emit<E extends keyof SupervisorEvents>(event: E, ...args: SupervisorEvents[E]): void {
    try {
      this.#events.emit(event as never, ...(args as never));
    } catch (cause) {
      queueMicrotask(() => {
        throw cause;
      });
    }
  }
}
