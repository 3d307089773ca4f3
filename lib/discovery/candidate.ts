import type { Address } from '../cluster/direct/address.ts';
import { written } from '../cluster/direct/address.ts';
import { TimeoutError } from '../wire/errors.ts';
import { type Announced, PROTOCOL } from './announced.ts';
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
const bounded = <T>(work: Promise<T>, address: Address, timeout: number, signal: AbortSignal): Promise<T> =>
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
    if (signal.aborted) giveUp();
    work.then(
      (value) => settle(() => resolve(value)),
      (cause) => settle(() => reject(cause)),
    );
  });

const foundNode = <State extends NodeBasics>(
  { where, by, addresses, announced, interface: heardOn }: Candidate,
  address: Address,
  state: State,
): FoundNode<State> => ({
  name: state.name,
  address,
  aliases: addresses.map(written),
  by,
  where,
  ...(heardOn !== undefined && { interface: heardOn }),
  ...(announced && { secured: announced.secured }),
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
  const giveUp = () => others.abort(signal.reason);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const start = performance.now();
  const trials: Trial[] = [];
  const attempts = candidate.addresses.map(async (address) => {
    const dialled = { where, what: 'dial', address: address.host, port: address.port } as const;
    try {
      const work = Promise.resolve().then(() => probe(address, { timeout, signal: others.signal }));
      const state = await bounded(work, address, timeout, others.signal);
      trials.push({ ...dialled, took: performance.now() - start, outcome: 'answered' });
      return foundNode(candidate, address, state);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const outcome = error instanceof TimeoutError ? 'silent' : 'failed';
      trials.push({ ...dialled, took: performance.now() - start, outcome, error });
      throw cause;
    }
  });
  try {
    const node = await Promise.any(attempts);
    return { node, trials: trials.filter(({ outcome }) => outcome === 'answered') };
  } catch {
    return { trials };
  } finally {
    signal.removeEventListener('abort', giveUp);
    others.abort();
  }
};
