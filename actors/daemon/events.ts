import type { Refusal } from '../../lib/fork/daemon/messages.ts';
import type { NodeState } from '../../lib/fork/daemon/node-state.ts';

/** Why a daemon has ended. */
export type DaemonEnd =
  /** It was told to, and has waited for its sites, or has killed them. */
  | { readonly why: 'stopped' | 'killed' }
  /** As many clients have gone as it was to serve. */
  | { readonly why: 'served' }
  /** It had no client for as long as it was to bear that. */
  | { readonly why: 'idle' }
  /** It could not be opened. */
  | { readonly why: 'failed'; readonly cause: unknown };

/** Somebody who uses a daemon. */
interface Who {
  readonly user: string;
  /** Where he comes from, `host:port` of his first connection. */
  readonly from: string;
}

/** What happens in a daemon, for its log: the arguments of each event's listeners. */
export interface DaemonEvents {
  /** It serves, drains or is closed from now on. */
  state: [state: NodeState['state']];
  cpus: [cpus: number];
  /** A client has come, or has gone with the last of its connections; it had so many sites. */
  client: [client: Who];
  clientGone: [client: Who & { readonly sites: number }];
  /** A site runs, or has ended, after so many milliseconds. A bridge leads to a detached site and is none itself. */
  site: [
    site: Who & {
      readonly name: string;
      readonly pid: number;
      readonly folder: string;
      readonly bridge: boolean;
    },
  ];
  siteEnded: [site: Who & { readonly name: string; readonly pid: number; readonly after: number }];
  refused: [refused: Who & { readonly name: string; readonly why: Refusal; readonly what: string }];
  /** Folders of so many sites were removed that a daemon had left when it died. */
  leftovers: [count: number];
  /** The folder of a site could not be removed. */
  folderLeft: [left: { readonly folder: string; readonly cause: unknown }];
  /** There is no place for its control socket, so that it can be steered by signals and from afar only. */
  uncontrolled: [cause: unknown];
  /** On an interface it can't be announced, so that it is not found there by who looks for any. */
  unannounced: [cause: unknown];
  /** Somebody was told by a daemon's steering that he may not, or asked for what is not there. */
  stranger: [visitor: Who & { readonly path: string; readonly what: string }];
  /** What came of a scheduler that it dials, as a sentence. */
  scheduler: [line: string];
  ended: [end: DaemonEnd];
}
