import { setTimeout as delay } from 'node:timers/promises';
import {
  type Child,
  OffsiteError,
  type Remote,
  RemoteManager,
  type RemoteManagerOptions,
  type SiteExit,
  Supervisor,
  withOptions,
} from '../../lib/index.ts';
import { descendants, processTable } from '../support/processes.ts';
import { fixture } from '../support/sites.ts';
import type { Fault, FaultKind, Likelihood } from './faults.ts';

type Host = typeof import('../support/fixtures/chaos/host.js');
type Leaf = typeof import('../support/fixtures/chaos/leaf.js');

/** How long anything that is no call of the load may take, in milliseconds, while all around it dies. */
const PATIENCE = 60_000;
/** How long a question to a host that may be dying may take, in milliseconds. */
const ASK_FOR = 5_000;
/** Few enough to be passed now and then, so that a host's supervisor gives up and its host dies with it. */
const HOST_INTENSITY = { intensity: 6, period: 1_000 };

/** What a host ends with when its supervisor has given up, as its module says. */
const GAVE_UP = 9;

const silent = { stdout: 'ignore', stderr: 'ignore' } as const;

/** So little memory that it is used up quickly. */
const leaves: Record<string, RemoteManagerOptions> = {
  thread: { ...silent, fork: 'virtual', resourceLimits: { maxOldGenerationSizeMb: 24 } },
  process: { ...silent, fork: 'sh', execArgv: ['--max-old-space-size=32'] },
};

/** One site of the first level, with what stands for it here. */
interface Part {
  readonly id: string;
  readonly child: Child<RemoteManager>;
  readonly host: Remote<Host>;
  readonly self: Remote<Leaf>;
}

/**
 * A tree of three levels: this program, hosts of each fork method, and sites of the hosts' own, each held by the
 * supervisor of the level above.
 */
export class ChaosTree {
  readonly #root: Supervisor;
  readonly #parts: readonly Part[];
  /** Every process that was ever seen in it. */
  readonly pids = new Set<number>();
  /** How often each kind of fault has happened. */
  readonly happened: Partial<Record<FaultKind, number>> = {};
  /** How often a host ended because its own supervisor had given up: failures that went upwards. */
  gaveUp = 0;

  /** `hosts` are the sites of the first level. */
  constructor(hosts: Record<string, RemoteManagerOptions>) {
    this.#root = new Supervisor({
      intensity: 100_000,
      children: Object.entries(hosts).map(([id, options]) => ({
        id,
        start: () => new RemoteManager({ ...silent, ...options }),
        setup: (site: RemoteManager) =>
          site.link<Host>(fixture('chaos/host.js')).raise({ ...HOST_INTENSITY, sites: leaves }),
      })),
    });
    this.#parts = Object.keys(hosts).map((id) => {
      const child = this.#root.child(id);
      child.on('up', ({ pid }) => this.#saw(pid));
      child.on('down', ({ cause }) => {
        if ((cause as SiteExit).code === GAVE_UP) this.gaveUp++;
      });
      return {
        id,
        child,
        host: child.link<Host>(fixture('chaos/host.js')),
        self: child.link<Leaf>(fixture('chaos/leaf.js')),
      };
    });
  }

  get ready(): Promise<void> {
    return this.#root.ready;
  }

  get parts(): readonly string[] {
    return this.#parts.map(({ id }) => id);
  }

  /** What may happen in one part. */
  likely(id: string): Likelihood[] {
    const fork = this.#part(id).child.current?.fork;
    return [
      { kind: 'kill', weight: 8, leaves: ['process'] },
      { kind: 'stop', weight: 4, leaves: ['process'] },
      { kind: 'exit', weight: 6, leaves: ['process', 'thread'] },
      { kind: 'out of memory', weight: 1, leaves: ['process', 'thread'] },
      { kind: 'host', weight: 2, leaves: [] },
      { kind: 'cut', weight: fork === 'ssh' ? 2 : 0, leaves: [] },
    ];
  }

  /** Does work in a site of a part. */
  work(part: string, leaf: string, call: string, wait: number, journal: string, timeout: number) {
    return withOptions(this.#part(part).host, { timeout }).workIn(leaf, call, wait, journal);
  }

  /** Lets a fault happen, when what it happens to is up. */
  async inflict(part: string, fault: Fault): Promise<void> {
    const { child } = this.#part(part);
    for (;;) {
      await child.whenUp({ timeout: PATIENCE });
      try {
        await this.#happen(part, fault);
        break;
      } catch (cause) {
        // The host died of another fault before this one reached it.
        if (!(cause instanceof OffsiteError) && (cause as NodeJS.ErrnoException).code !== 'ESRCH')
          throw cause;
        // Its process is gone, and this one has to turn its loop to hear of it.
        await delay(1);
      }
    }
    this.#count(fault.kind);
    await delay(fault.pause);
  }

  /** The state of every site, by its path, when every site has come up. */
  async shape(): Promise<Record<string, unknown>> {
    await this.#whole();
    const all = this.#parts.map(async ({ id, child, host }) => [
      id,
      { host: child.state, ...(await host.shape()) },
    ]);
    return Object.fromEntries(await Promise.all(all)) as Record<string, unknown>;
  }

  /** How often anything on the first level was started again. */
  get restarts(): number {
    return this.#parts.reduce((sum, { child }) => sum + child.restarts, 0);
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #part(id: string): Part {
    return this.#parts.find((part) => part.id === id)!;
  }

  /** Resolves when every site has been up; rejects if one takes too long. */
  async #whole(): Promise<void> {
    await Promise.all(
      this.#parts.map(async ({ child, host }) => {
        await child.whenUp({ timeout: PATIENCE });
        await withOptions(host, { timeout: PATIENCE, retry: 10 }).whole();
        for (const leaf of Object.keys(leaves)) this.#saw(await host.pidOf(leaf));
      }),
    );
  }

  #asked(part: string): Remote<Host> {
    return withOptions(this.#part(part).host, { timeout: ASK_FOR });
  }

  #count(kind: FaultKind): void {
    this.happened[kind] = (this.happened[kind] ?? 0) + 1;
  }

  #saw(pid: number | undefined): void {
    if (pid !== undefined && pid !== process.pid) this.pids.add(pid);
  }

  async #happen(part: string, { kind, leaf, during }: Fault): Promise<void> {
    if (kind === 'cut') return this.#cut(part);
    if (leaf === undefined) return this.#killHost(part);
    if (kind === 'exit') return await this.#asked(part).harm(leaf, 'exit');
    if (kind === 'out of memory') return await this.#asked(part).harm(leaf, 'exhaust');
    const pid = await this.#asked(part).pidOf(leaf);
    this.#saw(pid);
    if (kind === 'kill') return void process.kill(pid, 'SIGKILL');
    process.kill(pid, 'SIGSTOP');
    await delay(during);
    process.kill(pid, 'SIGCONT');
  }

  #killHost(part: string): void {
    const { child, self } = this.#part(part);
    const { fork, pid } = child.current!;
    if (fork === 'virtual') self.exit().catch(() => {});
    else process.kill(pid!, 'SIGKILL');
  }

  /** Ends the client of ssh, and with it the way to the host. */
  #cut(part: string): void {
    const { child } = this.#part(part);
    if (child.current?.fork !== 'ssh') throw new Error(`${part} has no cable that could be cut.`);
    const below = new Set(descendants(process.pid));
    for (const { pid, command } of processTable()) {
      if (below.has(pid) && /^(\S*\/)?ssh /.test(command)) process.kill(pid, 'SIGKILL');
    }
  }
}
