import { randomUUID } from 'node:crypto';
import type { FunctionText, Outcome } from '../../lib/cluster/function-text.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';
import type { JobLostError } from '../../lib/jobs/errors.ts';
import type { SiteFacts } from '../../lib/jobs/protocol.ts';
import { textOf } from '../../lib/wire/codec/remote-error.ts';
import { Pace } from '../pool/pace.ts';
import type { RemoteManagerOptions } from '../remote-manager.ts';
import type { EndStatus, JobRecord } from './job-record.ts';
import type { CheckedServer, PreparationText } from './options.ts';
import type { OutgoingFiles } from './outgoing-files.ts';
import type { NodeStatus, NodeView } from './placement.ts';
import { Slot, type SlotEvents, type SlotJournal } from './slot.ts';

/** After a site that could not be started, the next one waits so long, in milliseconds, and twice as long each time. */
const FIRST_DELAY = 250;
const MOST_DELAY = 10_000;

/** What all nodes of a job server are made with. */
export interface NodeHost {
  readonly prefix: string;
  readonly files: OutgoingFiles;
  readonly restartWorkers: boolean;
  preparation(node: JobNode): { setup?: PreparationText; cleanup?: PreparationText };
  /** How a site of this node is started. */
  siteOptions(node: JobNode, number: number): RemoteManagerOptions;
  /** See SlotOf. */
  journalFor(node: JobNode): SlotJournal | undefined;
  folderFor(record: JobRecord): string;
  /** There may be something to do for it. */
  pump(): void;
  changed(node: JobNode): void;
  began(record: JobRecord): void;
  said(record: JobRecord): void;
  over(record: JobRecord, status: EndStatus, outcome: Outcome): void;
  handedBack(records: readonly JobRecord[]): void;
  lost(record: JobRecord, error: JobLostError, isNodeGone: boolean): void;
}

/** What a node has done so far. */
export interface NodeCounts {
  jobs: number;
  /** All its jobs together, in milliseconds. */
  time: number;
  /** Of files, in bytes. */
  sent: number;
  received: number;
}

/** One node of a job server: its slots, what is known of it, and what it has done. */
export class JobNode {
  readonly name: string;
  readonly server: CheckedServer;
  readonly slots = new Set<Slot>();
  readonly counts: NodeCounts = { jobs: 0, time: 0, sent: 0, received: 0 };
  /** Why it runs nothing, if it doesn't. */
  trouble: string | undefined;
  readonly #host: NodeHost;
  readonly #share = randomUUID();
  readonly #idle: Slot[] = [];
  readonly #paces = new WeakMap<FunctionText, Pace>();
  #cpus: number | undefined;
  #status: NodeStatus = 'serving';
  #facts: SiteFacts | undefined;
  #state: NodeState | undefined;
  #version = 1;
  #made = 0;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  #view: NodeView | undefined;

  constructor(
    name: string,
    server: CheckedServer,
    host: NodeHost,
    { cpus, status }: { cpus?: number; status?: NodeStatus } = {},
  ) {
    this.name = name;
    this.server = server;
    this.#host = host;
    this.#cpus = cpus ?? server.cpus;
    if (status) this.#status = status;
  }

  get status(): NodeStatus {
    return this.#status;
  }

  /** How many jobs it may run at once; 1 until that is known. */
  get cpus(): number {
    const own = this.#cpus ?? this.#state?.cpus ?? this.#facts?.cpus ?? 1;
    if (!this.#state) return own;
    const { cpus, free, share = cpus } = this.#state;
    // Others may have sites there too.
    return Math.min(own, cpus, share, this.slots.size + free);
  }

  /** Whether its slots are shared out among clients. */
  get isShared(): boolean {
    return this.#state?.share !== undefined;
  }

  /** How the scheduler that shares it out calls it, if there is one. */
  get sharedAs(): string | undefined {
    return this.isShared ? this.#state!.name : undefined;
  }

  /** Whether each job has a fresh site here. */
  get restartsWorkers(): boolean {
    return this.#host.restartWorkers || this.#state?.restartWorkers === true;
  }

  /** How many slots have a job. */
  get busy(): number {
    let busy = 0;
    for (const slot of this.slots) if (slot.state === 'busy') busy++;
    return busy;
  }

  get starting(): number {
    let starting = 0;
    for (const slot of this.slots) if (slot.state === 'starting') starting++;
    return starting;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0 && this.#status === 'serving';
  }

  /** Whether one more site may be started now. */
  get mayStart(): boolean {
    return this.#status === 'serving' && this.#pause === undefined && this.slots.size < this.cpus;
  }

  /** Whether jobs can be hoped to run here: it serves, and its last site could be started. */
  get isUsable(): boolean {
    return this.#status === 'serving' && this.trouble === undefined && (this.cpus > 0 || this.slots.size > 0);
  }

  /** It as others see it; the same one until something changes. */
  get view(): NodeView {
    this.#view ??= this.#look();
    return this.#view;
  }

  #look(): NodeView {
    const { name, server, cpus } = this;
    const facts = this.#state ?? this.#facts;
    const node = this;
    return {
      name,
      server: server.text,
      labels: { ...this.#state?.labels, ...server.labels },
      cpus,
      get busy() {
        return node.busy;
      },
      state: this.#status,
      ...(facts && { host: facts.host, platform: facts.platform, arch: facts.arch, memory: facts.memory }),
      ...(this.#state && { load: this.#state.load, disk: this.#state.disk }),
    };
  }

  /** What a daemon says of itself. */
  told(state: NodeState): void {
    const before = this.#state;
    this.#state = state;
    const isBack = this.#status === 'lost' || this.#status === 'starting';
    // What this job server's user has drained stays so.
    if (isBack || state.state !== before?.state) this.setStatus(state.state);
    else this.#changed();
    this.trim();
  }

  /** It is out of reach, or back. */
  setStatus(status: NodeStatus, trouble?: string): void {
    if (this.#status === 'dropped') return;
    this.#status = status;
    this.trouble = trouble;
    if (status === 'dropped') clearTimeout(this.#pause);
    this.#changed();
  }

  /** Sets how many jobs it runs at once; sites beyond that end after their jobs. */
  setCpus(cpus: number): void {
    this.#cpus = cpus;
    this.#changed();
    this.trim();
  }

  /** Ends idle sites that are too many, or have nothing to do here any more. */
  trim(): void {
    const isOver = this.#status === 'draining' || this.#status === 'dropped';
    while (this.#idle.length > 0 && (isOver || this.slots.size > Math.max(this.cpus, 0))) {
      const slot = this.#idle.pop()!;
      this.slots.delete(slot);
      void slot.close(this.slots.size === 0);
    }
  }

  /** What is known of how fast its sites do jobs of a function. */
  paceOf(fn: FunctionText): Pace {
    let pace = this.#paces.get(fn);
    if (!pace) {
      pace = new Pace();
      this.#paces.set(fn, pace);
    }
    return pace;
  }

  takeIdle(): Slot | undefined {
    return this.#idle.pop();
  }

  /** Starts one more site. */
  start(): void {
    const number = ++this.#made;
    const host = this.#host;
    const slot = new Slot({
      node: this.name,
      share: this.#share,
      prefix: host.prefix,
      maxFileSize: this.server.maxFileSize ?? this.#state?.maxFileSize,
      files: host.files,
      site: host.siteOptions(this, number),
      journal: host.journalFor(this),
      preparation: () => ({ version: this.#version, ...host.preparation(this) }),
      events: this.#events,
    });
    this.slots.add(slot);
  }

  /** Has its sites set up anew, each before its next job; resolves when those that are there have done it. */
  async resetup(): Promise<void> {
    this.#version++;
    const idle = this.#idle.splice(0);
    await Promise.all(idle.map((slot) => slot.refresh()));
    const stale = [...this.slots].filter((slot) => slot.state === 'busy' && slot.isStale);
    await Promise.all(
      stale.map((slot) => new Promise<void>((resolve) => this.#refreshed.set(slot, resolve))),
    );
  }

  readonly #refreshed = new Map<Slot, () => void>();

  /** Ends all its sites; those that run a job are killed. Never rejects. */
  async close(): Promise<void> {
    this.setStatus('dropped');
    this.#idle.length = 0;
    const slots = [...this.slots];
    await Promise.all(
      slots.map((slot, index) =>
        slot.state === 'busy' || slot.state === 'starting'
          ? slot.kill(undefined)
          : slot.close(index === slots.length - 1),
      ),
    );
  }

  get #events(): SlotEvents {
    const host = this.#host;
    return {
      idle: (slot) => this.#freed(slot),
      ended: (slot, cause) => this.#ended(slot, cause),
      facts: (facts) => {
        if (this.#facts) return;
        this.#facts = facts;
        this.#changed();
      },
      began: (record) => host.began(record),
      said: (record) => host.said(record),
      over: (record, status, outcome, took) => {
        this.counts.jobs++;
        this.counts.time += took;
        host.over(record, status, outcome);
      },
      handedBack: (records) => host.handedBack(records),
      lost: (record, error, isNodeGone) => host.lost(record, error, isNodeGone),
      folderFor: (record) => host.folderFor(record),
      transferred: ({ sent = 0, received = 0 }) => {
        this.counts.sent += sent;
        this.counts.received += received;
      },
    };
  }

  #freed(slot: Slot): void {
    this.#failures = 0;
    this.trouble = undefined;
    const isUsed = this.restartsWorkers && slot.hasRun;
    if (isUsed) {
      this.slots.delete(slot);
      void slot.close(false);
    } else if (slot.isStale) {
      void slot.refresh();
      return;
    } else {
      this.#refreshed.get(slot)?.();
      this.#refreshed.delete(slot);
      this.#idle.push(slot);
      this.trim();
    }
    this.#host.pump();
  }

  #ended(slot: Slot, cause: unknown): void {
    this.slots.delete(slot);
    this.#refreshed.get(slot)?.();
    this.#refreshed.delete(slot);
    const at = this.#idle.indexOf(slot);
    if (at >= 0) this.#idle.splice(at, 1);
    if (cause !== undefined && this.#status !== 'dropped') this.#failed(cause);
    this.#host.pump();
  }

  /** A site could not be started: the next try waits. */
  #failed(cause: unknown): void {
    // Another client was quicker: that is no trouble of the node's.
    const isBusy = (cause as { readonly step?: unknown }).step === 'busy';
    if (isBusy) this.#failures = 0;
    else this.trouble = cause instanceof Error ? cause.message : textOf(cause);
    const delay = Math.min(MOST_DELAY, FIRST_DELAY * 2 ** this.#failures++);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#host.pump();
    }, delay);
    this.#pause.unref();
    this.#changed();
  }

  #changed(): void {
    this.#view = undefined;
    this.#host.changed(this);
    this.#host.pump();
  }
}
