import type { Reason } from './actors.ts';

/** A child as OTP's supervisor.erl keeps it. */
interface ModelChild {
  readonly id: string;
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly significant: boolean;
  pid: 'running' | 'restarting' | undefined;
}

/** What the model needs to know. */
export interface ModelOptions {
  strategy: 'one_for_one' | 'rest_for_one' | 'one_for_all';
  intensity: number;
  period: number;
  autoShutdown: 'never' | 'any_significant' | 'all_significant';
}

/**
 * What OTP's supervisor does, function by function as in supervisor.erl, but without processes: starts and ends are
 * lines of a log, and what it sends to itself (`try_again_restart`) is done when nothing else is left to do.
 */
export class Otp {
  readonly #options: ModelOptions;
  #children: ModelChild[];
  #restarts: number[] = [];
  #tryAgain: string[] = [];
  readonly failures = new Map<string, number>();
  readonly log: string[] = [];
  now = 0;
  ended: 'intensity' | 'auto-shutdown' | undefined;

  constructor(options: ModelOptions, children: readonly Omit<ModelChild, 'pid'>[]) {
    this.#options = options;
    this.#children = children.map((child) => ({ ...child, pid: undefined }));
    for (const child of this.#children) this.#doStart(child);
  }

  get states(): string[] {
    if (this.ended) return [];
    return this.#children.map(({ id, pid }) => `${id} ${pid === 'running' ? 'up' : 'down'}`);
  }

  get running(): string[] {
    return this.#children.filter(({ pid }) => pid === 'running').map(({ id }) => id);
  }

  news(): string {
    return this.log.splice(0).join(' ');
  }

  exit(id: string, reason: Reason): void {
    const child = this.#find(id)!;
    this.log.push(`x${id}`);
    this.#doRestart(reason, child);
    this.#drain();
  }

  terminate(id: string): void {
    const child = this.#find(id);
    if (!child) return;
    this.#doTerminate(child);
    this.#delete(child);
  }

  /** `error` is what OTP answers. */
  restart(id: string): string {
    const child = this.#find(id);
    if (!child) return 'not_found';
    if (child.pid !== undefined) return 'running';
    return this.#doStart(child) ? 'ok' : 'failed';
  }

  delete(id: string): string {
    const child = this.#find(id);
    if (!child) return 'not_found';
    if (child.pid !== undefined) return 'running';
    this.#children = this.#children.filter((other) => other !== child);
    return 'ok';
  }

  start(spec: Omit<ModelChild, 'pid'>): string {
    const known = this.#find(spec.id);
    if (known) return known.pid === undefined ? 'already_present' : 'already_started';
    const child: ModelChild = { ...spec, pid: undefined };
    if (!this.#doStart(child)) return 'failed';
    this.#children.push(child);
    return 'ok';
  }

  #find(id: string): ModelChild | undefined {
    return this.#children.find((child) => child.id === id);
  }

  #doStart(child: ModelChild): boolean {
    const left = this.failures.get(child.id) ?? 0;
    if (left > 0) this.failures.set(child.id, left - 1);
    this.log.push(`${left > 0 ? '!' : '+'}${child.id}`);
    if (left === 0) child.pid = 'running';
    return left === 0;
  }

  #doTerminate(child: ModelChild): void {
    if (child.pid === 'running') this.log.push(`-${child.id}`);
    child.pid = undefined;
  }

  #delete(child: ModelChild): void {
    child.pid = undefined;
    if (child.restart === 'temporary') this.#children = this.#children.filter((other) => other !== child);
  }

  #doRestart(reason: Reason, child: ModelChild): void {
    if (child.restart === 'permanent') return this.#restart(child);
    const abnormal = reason !== 'normal' && reason !== 'shutdown';
    if (abnormal && child.restart === 'transient') return this.#restart(child);
    this.#delete(child);
    this.#doAutoShutdown(child);
  }

  #doAutoShutdown(child: ModelChild): void {
    const { autoShutdown } = this.#options;
    if (autoShutdown === 'never' || !child.significant) return;
    const left = this.#children.some(({ significant, pid }) => significant && pid !== undefined);
    if (autoShutdown === 'any_significant' || !left) this.#shutdown('auto-shutdown');
  }

  #shutdown(reason: 'intensity' | 'auto-shutdown'): void {
    this.ended = reason;
    for (const child of [...this.#children].reverse()) this.#doTerminate(child);
    this.#tryAgain = [];
  }

  #restart(child: ModelChild): void {
    const { intensity, period, strategy } = this.#options;
    this.#restarts = [...this.#restarts.filter((at) => at >= this.now - period), this.now];
    child.pid = undefined;
    if (this.#restarts.length > intensity) return this.#shutdown('intensity');
    if (strategy === 'one_for_one') {
      if (!this.#doStart(child)) this.#again(child);
      return;
    }
    const at = strategy === 'one_for_all' ? 0 : this.#children.indexOf(child);
    const affected = this.#children.slice(at);
    for (const each of [...affected].reverse()) {
      this.#doTerminate(each);
      if (each !== child && each.restart === 'temporary') this.#delete(each);
    }
    for (const each of affected.filter((one) => this.#children.includes(one))) {
      if (!this.#doStart(each)) return this.#again(each);
    }
  }

  #again(child: ModelChild): void {
    child.pid = 'restarting';
    this.#tryAgain.push(child.id);
  }

  #drain(): void {
    for (;;) {
      const id = this.#tryAgain.shift();
      if (id === undefined) return;
      const child = this.#find(id);
      if (child?.pid === 'restarting') this.#restart(child);
    }
  }
}
