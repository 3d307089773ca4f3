import { OptionError } from '../../lib/wire/errors.ts';
import { type Child, ChildRecord, type ChildState } from './child.ts';
import {
  type CheckedSpec,
  type ChildSpec,
  type ChildType,
  checkSpec,
  type Supervised,
} from './child-spec.ts';
import type { Children } from './children.ts';
import { ChildStateError, NoChildError } from './errors.ts';

/** One line of `whichChildren()`. */
export interface ChildInfo {
  readonly id: string;
  readonly type: ChildType;
  readonly state: ChildState;
  /** What it is now, while it is up. */
  readonly current: Supervised | undefined;
}

/** What `countChildren()` gives, as in OTP: specs, children that run, and how many of all are which. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

const RUNNING: readonly ChildState[] = ['starting', 'up', 'stopping'];

/** What can be asked of a supervisor: OTP's functions, which wait for their turn like deaths do. */
export class Requests {
  readonly #children: Children;
  #made = 0;

  constructor(children: Children) {
    this.#children = children;
  }

  get #simple(): boolean {
    return this.#children.options.strategy === 'simple_one_for_one';
  }

  find(id: string): ChildRecord {
    const record = this.#children.records.find(({ spec }) => spec.id === id);
    if (record) return record;
    throw new NoChildError(id, `${this.#children.overseer.name} has no child "${id}".`);
  }

  async startChild(args: readonly unknown[]): Promise<Child<never>> {
    const { options, records, time } = this.#children;
    const [template] = options.children;
    const spec = this.#simple
      ? { ...template!, id: `${template!.id}/${++this.#made}` }
      : checkSpec(args[0] as ChildSpec<never>, options.autoShutdown);
    return this.#children.inTurn(async () => {
      const known = records.find((record) => record.spec.id === spec.id);
      if (known) throw this.#taken(known);
      const record = new ChildRecord(spec, time, this.#simple ? args : []);
      records.push(record);
      try {
        await this.#children.begin(record);
      } catch (cause) {
        if (record.state === 'starting') this.#children.remove(record);
        throw cause;
      }
      return record.child;
    });
  }

  terminateChild(id: string): Promise<void> {
    return this.#children.inTurn(async () => {
      const record = this.find(id);
      await this.#children.end(record, this.#children.forgets(record) ? 'gone' : 'down');
    });
  }

  async restartChild(id: string): Promise<Child<never>> {
    this.#refuseSimple('restartChild');
    return this.#children.inTurn(async () => {
      const record = this.#down(id);
      record.state = 'starting';
      try {
        await this.#children.begin(record);
      } catch (cause) {
        if (record.state === 'starting') record.state = 'down';
        throw cause;
      }
      return record.child;
    });
  }

  async deleteChild(id: string): Promise<void> {
    this.#refuseSimple('deleteChild');
    return this.#children.inTurn(async () => this.#children.remove(this.#down(id)));
  }

  whichChildren(): ChildInfo[] {
    return this.#children.records.map(({ child, spec, type, state }) => {
      return { id: spec.id, type, state, current: child.current };
    });
  }

  countChildren(): ChildCounts {
    const { records, options } = this.#children;
    const supervisors = records.filter(({ type }) => type === 'supervisor').length;
    return {
      specs: this.#simple ? options.children.length : records.length,
      active: records.filter(({ state }) => RUNNING.includes(state)).length,
      supervisors,
      workers: records.length - supervisors,
    };
  }

  getChildSpec(id: string): CheckedSpec {
    return { ...this.find(id).spec };
  }

  #down(id: string): ChildRecord {
    const record = this.find(id);
    if (record.state === 'down') return record;
    if (record.state !== 'restarting') {
      throw new ChildStateError(
        'RUNNING',
        id,
        `${id} is ${record.state}; end it first, with terminateChild('${id}').`,
      );
    }
    throw new ChildStateError(
      'RESTARTING',
      id,
      `${id} is being restarted already. To keep it from that, call terminateChild('${id}').`,
    );
  }

  #taken({ spec: { id }, state }: ChildRecord): ChildStateError {
    return state === 'down'
      ? new ChildStateError(
          'PRESENT',
          id,
          `There is a child ${id}, which is down. Use restartChild('${id}'), or deleteChild('${id}') first.`,
        )
      : new ChildStateError(
          'RUNNING',
          id,
          `There is a child ${id} already, and it is ${state}. Take another id.`,
        );
  }

  #refuseSimple(what: string): void {
    if (!this.#simple) return;
    throw new OptionError(
      'strategy',
      `A simple_one_for_one supervisor keeps nothing of children that have ended, so that there is no ${what}.`,
    );
  }
}
