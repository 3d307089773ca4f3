import type { CrossesWhole } from '../../module/remote.ts';
import { ReleasedError } from '../../wire/errors.ts';
import type { Making, RefId } from './protocol.ts';
import { nameOfRef } from './ref.ts';
import type { References } from './references.ts';

/** Marks handles of all copies of this code. */
const HANDLE = Symbol.for('offsite.clusterHandle');

/** A handle as it crosses. */
export interface HandleText {
  readonly cluster: string;
  readonly owner: number;
  readonly ref: RefId;
  readonly kind: Making['kind'];
  /** Of this journey alone. */
  readonly token: string;
}

/** Whether something is a handle, of whichever copy of this code; and of that kind, if one is given. */
export const isHandle = (value: unknown, kind?: Making['kind']): value is Handle => {
  if (typeof value !== 'object' || value === null || !(HANDLE in value)) return false;
  return kind === undefined || value[HANDLE] === kind;
};

/**
 * What stands in a process for a Future or a channel, which lies at its owner. There is one for each in a process; it
 * can be sent to any other process of the cluster, within any data, and leads to the same there.
 */
export abstract class Handle implements Disposable, CrossesWhole {
  declare readonly '~whole': true;
  /** The process in which it lies. */
  readonly owner: number;
  /** The cluster's id. */
  readonly cluster: string;
  protected readonly references: References;
  readonly #ref: RefId;
  readonly #kind: Making['kind'];
  readonly #pending = new Set<AbortController>();
  #released = false;

  /** Handles are made by the cluster. */
  constructor(references: References, kind: Making['kind'], owner: number, ref: RefId) {
    this.references = references;
    this.cluster = references.cluster;
    this.owner = owner;
    this.#kind = kind;
    this.#ref = ref;
  }

  get [HANDLE](): Making['kind'] {
    return this.#kind;
  }

  /** Its id at its owner. */
  get ref(): RefId {
    return this.#ref;
  }

  /** Whether it was released in this process. */
  get released(): boolean {
    return this.#released;
  }

  /**
   * This process does not need it any more; when no process does, what lies at the owner is dropped. What still waits
   * through it, and what uses it later, rejects with ReleasedError. Can be called again.
   */
  release(): void {
    if (this.#released) return;
    const gone = this.#gone();
    this.#released = true;
    this.references.forget(this);
    for (const pending of this.#pending) pending.abort(gone);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** How it crosses; the owner learns that it is on its way. Throws ReleasedError and ClusterClosedError. */
  lend(): HandleText {
    const token = this.references.lend(this);
    return { cluster: this.cluster, owner: this.owner, ref: this.#ref, kind: this.#kind, token };
  }

  /** Throws ReleasedError. */
  check(): void {
    if (this.#released) throw this.#gone();
  }

  /** Runs for as long as it is not released; then the controller is aborted. */
  async during<T>(controller: AbortController, run: () => Promise<T>): Promise<T> {
    this.check();
    this.#pending.add(controller);
    try {
      return await run();
    } finally {
      this.#pending.delete(controller);
    }
  }

  toString(): string {
    return nameOfRef(this.#kind, this.#ref, this.owner);
  }

  #gone(): ReleasedError {
    return new ReleasedError(
      `${this.toString()} was released in process ${this.references.id}. Release it when it is not used any more, or get a new one sent.`,
    );
  }
}
