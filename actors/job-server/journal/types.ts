import type { Buffer } from 'node:buffer';
import type { JobPlace } from './keys.ts';
import type { OutcomeHead } from './records.ts';
import type { Common } from './submissions.ts';

/** How a journal is kept. */
export interface JobStoreOptions {
  /**
   * What a promise means: `sync`, that it holds although the host loses its power; `os`, that it holds although this
   * process is killed. @default 'sync'
   */
  readonly durable?: 'sync' | 'os';
  /** How long results wait for somebody who acknowledges them, in milliseconds. @default 86400000, which is a day */
  readonly keepResults?: number;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  /** Called when jobs can be read with `next`. */
  readonly onQueued?: () => void;
}

/** A job that is to be run. */
export interface QueuedJob extends Common {
  readonly id: string;
  readonly place: JobPlace;
  readonly priority: number;
  /** How often it was started before. */
  readonly attempts: number;
  /** What is its own. */
  readonly own: Buffer;
}

/** Where a job was started. */
export interface StartedAt {
  /** The name of the site, as `keepSite` knows it. */
  readonly site: string;
  /** How often it was started, this time counted. */
  readonly attempt: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly priority: number;
}

/** A job that was started and has not ended. */
export interface StartedJob extends StartedAt {
  readonly id: string;
  readonly place: JobPlace;
}

/** How a job ended. */
export interface SettledJob {
  readonly id: string;
  readonly place: JobPlace;
  readonly head: OutcomeHead;
  /** Its value or its error, as it was written down. */
  readonly value: Buffer;
}

/** What is known of a job. */
export type JournalEntry =
  | { readonly state: 'queued' }
  | { readonly state: 'started'; readonly started: StartedJob }
  | { readonly state: 'settled'; readonly settled: SettledJob };

/** On which server a site is: never how that is opened. */
export interface KeptServer {
  /** As its user wrote it, or where it was found. */
  readonly text: string;
  /** Whether that is an `offsite serve`. */
  readonly daemon: boolean;
}

/** How to come back into a site. */
export interface KeptSite {
  readonly name: string;
  readonly ticket: string;
  /** Nothing if it is on this host. */
  readonly server?: KeptServer;
}
