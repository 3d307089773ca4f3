import type { Member } from '../../lib/cluster/member.ts';
import type { WorkerService } from '../../lib/cluster/protocol.ts';
import type { Remote } from '../../lib/module/remote.ts';

/** What each gives when it is asked, by its id; one that dies meanwhile is left out. */
const askEach = async <T>(asked: Iterable<readonly [number, PromiseLike<T>]>): Promise<Map<number, T>> => {
  const answers = new Map<number, T>();
  const each = [...asked].map(([id, answer]) => answer.then((given) => answers.set(id, given)));
  await Promise.allSettled(each);
  return new Map([...answers].sort(([a], [b]) => a - b));
};

/** The processes on the same host as this one, itself among them. Rejects with NoProcessError, and ProcessExitedException. */
export const procsBeside = async (member: Member, id: number): Promise<number[]> => {
  member.check(id);
  const hosts = await askEach(
    member.ids.map((each) => [each, member.ask(each, {}, (peer) => peer.hostname())]),
  );
  // It may have ended meanwhile.
  if (!hosts.has(id)) member.check(id);
  return [...hosts].filter(([, host]) => host === hosts.get(id)).map(([each]) => each);
};

/** How many connections to other workers each has made. */
export const connectionsOf = (
  services: ReadonlyMap<number, Remote<WorkerService>>,
): Promise<Map<number, number>> => askEach([...services].map(([id, service]) => [id, service.connections()]));
