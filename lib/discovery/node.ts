import type { Address } from '../cluster/direct/address.ts';

/** What every node says of itself when it is asked. */
export interface NodeBasics {
  /** As people call it. */
  readonly name: string;
  /** The version of this package there. */
  readonly version: string;
}

/**
 * Asks what listens at an address whether it is a node that this program may use, with the program's credentials.
 * Rejects if it is not; `timeout` is in milliseconds. Nothing that was found is believed before it has answered.
 */
export type Probe<State extends NodeBasics> = (
  address: Address,
  options: { readonly timeout: number; readonly signal: AbortSignal },
) => Promise<State>;

/** By what a node was found: multicast DNS, its address, a range of ports, or SRV records. */
export type FoundBy = 'mdns' | 'static' | 'ports' | 'srv';

/** A node that was found, and that answered the probe. */
export interface FoundNode<State extends NodeBasics = NodeBasics> {
  readonly name: string;
  /** Where it answered. */
  readonly address: Address;
  /** All addresses that it was found by, as `host:port`; the same node may be found in several ways. */
  readonly aliases: readonly string[];
  readonly by: FoundBy;
  /** The word by which it was asked for. */
  readonly where: string;
  /** Under what it announces itself, the same on all interfaces; not said if it was not found by multicast. */
  readonly id?: string;
  /** The interface where it was heard; not said if it was not found by multicast. */
  readonly interface?: string;
  /** Whether it announces that it wants credentials; not said if it was not found by multicast. */
  readonly secured?: boolean;
  readonly version: string;
  /** What it answered. */
  readonly state: State;
}

/** One thing that was tried to find nodes, and what came of it. */
export interface Trial {
  /** The word because of which it was tried. */
  readonly where: string;
  /** A question by multicast, one to a DNS server for SRV records, a host's name looked up, or an address dialled. */
  readonly what: 'multicast' | 'srv' | 'lookup' | 'dial';
  readonly interface?: string;
  /** An address or a name. */
  readonly address?: string;
  readonly port?: number;
  /** How long it took, in milliseconds. */
  readonly took: number;
  /** Whether an answer came, none came in time, or it could not be done or was refused. */
  readonly outcome: 'answered' | 'silent' | 'failed';
  /** Why nothing, or nothing more, was found by it. */
  readonly error?: Error;
}

/** What a search has found, and all that it has tried. */
export interface Search<State extends NodeBasics = NodeBasics> {
  readonly nodes: readonly FoundNode<State>[];
  readonly trials: readonly Trial[];
  /** How long it took, in milliseconds. */
  readonly took: number;
}
