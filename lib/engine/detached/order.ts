import type { LogWish } from '../../ticket/clerk.ts';
import type { TicketReason } from '../../ticket/errors.ts';
import type { Pass, TicketTerms } from '../../ticket/keys.ts';

/**
 * The word on a command line by which an engine is no site but a bridge: it does one errand on its host, which it is
 * told by the first line of its input, and may then pass bytes to and from a socket there.
 */
export const BRIDGE_WORD = '--bridge';

/** What a manager wants done where a detached site is to run, or runs. */
export type Order =
  | {
      /** Start a detached site. */
      readonly op: 'start';
      readonly name: string;
      readonly execArgv: readonly string[];
      readonly idleTimeout?: number;
      /** By which its first client comes in, through this bridge or, if `direct`, past it. */
      readonly pass: Pass;
      readonly direct: boolean;
    }
  | {
      /** Go to a door and pass on what is said there. */
      readonly op: 'attach';
      readonly folder: string;
      readonly pass: Pass;
      readonly name: string;
      /** Whether it is a site, which has a pulse. */
      readonly site: boolean;
      /** What that may take, in milliseconds. */
      readonly timeout: number;
    }
  | { readonly op: 'signal'; readonly folder: string; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly op: 'sites' }
  | { readonly op: 'close'; readonly which: string }
  /** How to come into a site that its own user names. */
  | { readonly op: 'ticket'; readonly which: string }
  | ({ readonly op: 'log'; readonly which: string } & Pick<LogWish, 'lines' | 'follow'>);

/** What a bridge answers, as one line of JSON. */
export interface Reply {
  /** The order was carried out; what it gives. */
  readonly done?: unknown;
  /** The ticket was refused. */
  readonly refused?: TicketReason;
  /** Something else went wrong. */
  readonly failed?: { readonly message: string; readonly code?: string; readonly remedy?: string };
}

/** What a manager may ask a detached site for, beside what any site gives. */
export interface TicketService {
  /** Makes a pass into the site. */
  ticket(terms: TicketTerms): Pass & { readonly folder: string };
}

/** What `start` gives. */
export interface Started {
  readonly pid: number;
  readonly folder: string;
}

/** What a bridge tells a detached engine that it has started, before the engine's own text. */
export interface DetachedSetup {
  readonly folder: string;
  readonly name: string;
  readonly idleTimeout?: number;
  /** The first client's. */
  readonly pass: Pass;
  /** The process id of what started the bridge, which is the manager if that is on this host. */
  readonly starter: number;
}
