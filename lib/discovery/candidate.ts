import { setMaxListeners } from 'node:events';
import { isIP } from 'node:net';
import type { Address } from '../cluster/direct/address.ts';
import { written } from '../cluster/direct/address.ts';
import { TimeoutError } from '../wire/errors.ts';
import { type Announced, PROTOCOL } from './announced.ts';
import { lookUp } from './hosts.ts';
import type { FoundBy, FoundNode, NodeBasics, Probe, Trial } from './node.ts';

/** Where a node may be. */
export interface Candidate {
  /** The word because of which it is tried. */
  readonly where: string;
  readonly by: FoundBy;
  /** All of the same node; it is enough that one answers. */
  readonly addresses: readonly Address[];
  readonly interface?: string;
  readonly announced?: Announced;
}

/** What came of a candidate. */
export interface Tried<State extends NodeBasics> {
  readonly node?: FoundNode<State>;
  /** Of each address that was dialled; of the others no more if one answered. */
  readonly trials: readonly Trial[];
}

/** How candidates are tried. */
export interface TryOptions<State extends NodeBasics> {
  readonly probe: Probe<State>;
  /** How long one may take, in milliseconds. */
  readonly timeout: number;
  /** Gives it up; what was not answered by then is a failed trial. */
  readonly signal: AbortSignal;
}

/** Settles as a probe does, or rejects when its time is over or it is given up, whatever the probe does then. */
const bounded = <T>(
  work: () => Promise<T>,
  address: Address,
  timeout: number,
  signal: AbortSignal,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const giveUp = () => settle(() => reject(signal.reason as Error));
    const timer = setTimeout(() => {
      const what = `${written(address)} did not answer within ${Math.round(timeout)} ms.`;
      settle(() => reject(new TimeoutError(what, timeout)));
    }, timeout);
    const settle = (how: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      how();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) return giveUp();
    Promise.resolve()
      .then(work)
      .then(
        (value) => settle(() => resolve(value)),
        (cause) => settle(() => reject(cause)),
      );
  });

const foundNode = <State extends NodeBasics>(
  { where, by, addresses, announced, interface: heardOn }: Candidate,
  address: Address,
  known: readonly string[],
  state: State,
): FoundNode<State> => ({
  name: state.name,
  address,
  aliases: [...new Set([...addresses.map(written), ...known])],
  by,
  where,
  ...(heardOn !== undefined && { interface: heardOn }),
  ...(announced && { id: announced.id, secured: announced.secured }),
  version: state.version,
  state,
});

/** Of a node that announces another protocol: it is not dialled, because neither side would understand the other. */
const otherProtocol = ({ where, addresses, announced }: Candidate): Trial => {
  const { name, version, protocol } = announced!;
  const what = `${name} runs version ${version || 'unknown'}, which speaks protocol ${protocol}, and this one speaks ${PROTOCOL}`;
  const error = new Error(`${what}: have the same version of Offsite on both.`);
  const [{ host, port }] = addresses as [Address];
  return { where, what: 'dial', address: host, port, took: 0, outcome: 'failed', error };
};

/** Dials all addresses of a candidate side by side; the first that answers is the node's, and the others are given up. */
export const tryCandidate = async <State extends NodeBasics>(
  candidate: Candidate,
  { probe, timeout, signal }: TryOptions<State>,
): Promise<Tried<State>> => {
  const { where, announced } = candidate;
  if (announced && announced.protocol !== PROTOCOL) return { trials: [otherProtocol(candidate)] };
  const others = new AbortController();
  setMaxListeners(0, others.signal);
  const giveUp = () => others.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const start = performance.now();
  const trials: Trial[] = [];
  const dial = async (address: Address): Promise<FoundNode<State>> => {
    const { host, port } = address;
    // A name is dialled as it is written, because that is what its certificate has; its addresses tell who is the same.
    const { addresses, trial } = await lookUp(where, host, others.signal);
    if (trial) {
      trials.push(trial);
      throw trial.error!;
    }
    const known = addresses.filter(() => isIP(host) === 0).map((one) => written({ host: one, port }));
    const dialled = { where, what: 'dial', address: host, port } as const;
    try {
      const state = await bounded(
        () => probe(address, { timeout, signal: others.signal }),
        address,
        timeout,
        others.signal,
      );
      trials.push({ ...dialled, took: performance.now() - start, outcome: 'answered' });
      return foundNode(candidate, address, known, state);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const outcome = error instanceof TimeoutError ? 'silent' : 'failed';
      trials.push({ ...dialled, took: performance.now() - start, outcome, error });
      throw cause;
    }
  };
  try {
    const node = await Promise.any(candidate.addresses.map(dial));
    return { node, trials: trials.filter(({ outcome }) => outcome === 'answered') };
  } catch {
    return { trials: [...trials] };
  } finally {
    signal.removeEventListener('abort', giveUp);
    others.abort();
  }
};
