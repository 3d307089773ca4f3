import { setTimeout as delay } from 'node:timers/promises';
import { TimeoutError } from '../../wire/errors.ts';
import { messageOf } from '../report.ts';
import type { InputSource, Task } from './inputs.ts';
import { errorLine, jsonLine } from './json.ts';
import type { LineSink } from './sink.ts';
import { ReorderWindow } from './window.ts';

/** What a run needs of a site. */
export interface MapSite {
  /** For the log: the name of the site and how it can be found. */
  readonly label: string;
  /** Whether the site can't take calls any more. */
  dead(): boolean;
  /** Calls the function. */
  call(input: string): Promise<unknown>;
  /** Ends the site, by force after `within` milliseconds; never throws. */
  close(within: number): Promise<void>;
}

/** Starts a site on a host and resolves when it can be called. */
export type StartSite = (host: string, signal: AbortSignal) => Promise<MapSite>;

/** One run of `offsite map`. */
export interface MapJob {
  readonly inputs: InputSource;
  /** The host of each site. */
  readonly hosts: readonly string[];
  readonly start: StartSite;
  readonly sink: LineSink;
  readonly log: (line: string) => void;
  /** How often an input is called again whose site died in the call. */
  readonly retry: number;
  /** The bound of one call in milliseconds, if it has one. */
  readonly timeout: number | undefined;
  readonly ordered: boolean;
}

/** What a run has done. */
export interface MapTally {
  done: number;
  failed: number;
  retried: number;
  /** How many sites were started. */
  sites: number;
}

/** How many results a site may be ahead of the slowest one in ordered mode: enough to ride out a long input. */
const WINDOW_PER_SITE = 64;
/** A replacement that fails this often in a row won't come: the host is gone, or what it runs. */
const STARTS_IN_A_ROW = 3;
/** What a failed replacement waits before the next attempt, so that a host that reboots is not hammered. */
const RESTART_DELAY_MS = 250;

/** What one call came to: the line to print, and how its site was lost with it, if it was. */
interface Outcome {
  readonly line: string;
  readonly failed?: boolean;
  readonly lost?: 'died' | 'unsent' | 'stuck';
}

/** The bound that `--timeout` sets has passed; a class of its own, as calls may fail with time-outs of theirs. */
class CallTimeout extends TimeoutError {}

/** An input as it stands in a sentence: an input may be a whole document, and the result line has it all. */
const quoted = (input: string): string =>
  JSON.stringify(input.length > QUOTED ? `${input.slice(0, QUOTED)}…` : input);

const deathOf = (error: unknown): 'died' | 'unsent' =>
  (error as { mayHaveRun?: boolean } | null)?.mayHaveRun === false ? 'unsent' : 'died';

/** What a site gets to close its own children and flush what was printed, in milliseconds, when all is done. */
const CLOSE_MS = 2_000;
/** The same when somebody waits for the end of everything, after Ctrl-C for instance. */
const STOP_MS = 500;
/** The same for a site that has shown that it does not answer. */
const STUCK_MS = 100;

/** How many characters of an input a sentence quotes. */
const QUOTED = 80;

/** Calls a function for each input on some sites, one input at a time on each, and writes a line for each. */
export class MapRun {
  /** What was done so far. */
  readonly tally: MapTally = { done: 0, failed: 0, retried: 0, sites: 0 };
  readonly #job: MapJob;
  readonly #window: ReorderWindow | undefined;
  readonly #stopping = new AbortController();
  readonly #open = new Set<MapSite>();
  readonly #closing = new Set<Promise<void>>();
  #fatal: { readonly error: unknown } | undefined;

  constructor(job: MapJob) {
    this.#job = job;
    this.#window = job.ordered ? new ReorderWindow(WINDOW_PER_SITE * job.hosts.length) : undefined;
  }

  /** Whether the run was told to stop, or failed, before its inputs were used up. */
  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Does everything; resolves when the last site is gone. Rejects if sites can't be started or inputs be read. */
  async run(): Promise<MapTally> {
    const end = (error: unknown) => {
      if (!this.stopped) this.#fatal = { error };
      this.stop();
    };
    await Promise.all(this.#job.hosts.map((host) => this.#work(host).catch(end)));
    await Promise.all(this.#closing);
    if (this.#fatal) throw this.#fatal.error;
    return this.tally;
  }

  /** Ends the run: takes no further input, writes no further line, and closes every site. */
  stop(): void {
    if (this.stopped) return;
    // Before the signal, which would close them as well but with the patience of a site that nobody waits for.
    for (const site of this.#open) this.#discard(site, STOP_MS);
    this.#stopping.abort();
    this.#job.inputs.close();
    this.#window?.close();
  }

  /** What one of the sites does, with its replacements. */
  async #work(host: string): Promise<void> {
    let site: MapSite | undefined;
    let replacement = false;
    for (let task = await this.#take(); task !== undefined; task = await this.#take()) {
      let retries = 0;
      let unsent = 0;
      let final: Outcome | undefined;
      while (final === undefined && !this.stopped) {
        // Started by its first input, so that fewer inputs than sites start fewer sites.
        if (site === undefined || site.dead()) {
          site = await this.#start(host, { replaces: site, patient: replacement });
          replacement = true;
        }
        const outcome = await this.#attempt(site, task.input);
        if (this.stopped) break;
        if (outcome.lost === undefined) {
          final = outcome;
          break;
        }
        this.#discard(site, STUCK_MS);
        // A call that was never sent can't have had an effect: it costs no retry, but has a bound as well.
        const again =
          outcome.lost === 'unsent'
            ? unsent++ < STARTS_IN_A_ROW
            : outcome.lost === 'died' && retries++ < this.#job.retry;
        const what = outcome.lost === 'stuck' ? 'did not answer in time' : 'died';
        const next = again ? 'which is called again on another one' : 'which is not called again';
        this.#job.log(`offsite: ${site.label} ${what} at input ${quoted(task.input)}, ${next}`);
        site = undefined;
        if (again) this.tally.retried += 1;
        else final = outcome;
      }
      if (final !== undefined) this.#write(task.index, final);
    }
    if (site !== undefined) this.#discard(site);
  }

  async #take(): Promise<Task | undefined> {
    await this.#job.sink.room();
    await this.#window?.admit();
    const task = this.stopped ? undefined : await this.#job.inputs.next();
    if (task === undefined) this.#window?.leave();
    return this.stopped ? undefined : task;
  }

  /** One call: the line that it gives if it is not repeated, and how its site was lost if it was. */
  async #attempt(site: MapSite, input: string): Promise<Outcome> {
    try {
      return { line: jsonLine(await this.#bounded(site.call(input), input)) };
    } catch (error) {
      // A site that is still in a call that took too long would do the next one late or never.
      const lost = error instanceof CallTimeout ? 'stuck' : site.dead() ? deathOf(error) : undefined;
      return { failed: true, line: errorLine(error, input), lost };
    }
  }

  async #bounded(call: Promise<unknown>, input: string): Promise<unknown> {
    const { timeout } = this.#job;
    if (timeout === undefined) return call;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `The call for ${quoted(input)} was not answered in ${timeout} ms; give it more with --timeout.`;
      timer = setTimeout(() => reject(new CallTimeout(message, timeout)), timeout);
    });
    return Promise.race([call, late]).finally(() => clearTimeout(timer));
  }

  /** Starts a site: the first one of a worker, which must come, or a replacement, which is tried for a while. */
  async #start(
    host: string,
    { replaces, patient }: { replaces?: MapSite; patient: boolean },
  ): Promise<MapSite> {
    if (replaces !== undefined) {
      this.#job.log(`offsite: ${replaces.label} died between two inputs`);
      this.#discard(replaces);
    }
    const { signal } = this.#stopping;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const site = await this.#job.start(host, signal);
        this.tally.sites += 1;
        this.#open.add(site);
        if (this.stopped) this.#discard(site, STOP_MS);
        return site;
      } catch (error) {
        // What can't be started at all is told at once; what could be once may come back.
        if (this.stopped || !patient || attempt === STARTS_IN_A_ROW) throw error;
        this.#job.log(`offsite: no site in its place on ${host} yet: ${messageOf(error)}`);
        await delay(RESTART_DELAY_MS * attempt, undefined, { signal });
      }
    }
  }

  #write(index: number, outcome: Outcome): void {
    this.tally.done += 1;
    if (outcome.failed) this.tally.failed += 1;
    this.#job.sink.write(this.#window ? this.#window.put(index, outcome.line) : [outcome.line]);
  }

  /** Closes a site while the work goes on; `run` waits for it at its end. */
  #discard(site: MapSite, within: number = CLOSE_MS): void {
    if (!this.#open.delete(site)) return;
    const closing = site.close(within).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
