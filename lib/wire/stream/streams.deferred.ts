import type { Sender } from '../frame/sender.ts';
import type { LiveValues } from '../live-values.ts';
import type { ProcessHold } from '../process-hold.ts';
import { StreamFrames, streamPort } from './frames.ts';
import { Streams } from './streams.ts';

/** What the streams of a session need of it. */
export interface StreamsOf {
  readonly sender: Sender;
  /** Chooses an id of ours, never used again. */
  readonly nextId: () => number;
  readonly live: LiveValues;
  readonly hold: ProcessHold;
  readonly limits: { readonly streams: number };
}

/** The streams of a session. */
export const makeStreams = ({ sender, nextId, live, hold, limits }: StreamsOf): Streams =>
  new Streams(streamPort(sender, nextId, live, hold), limits);

/** What reads their frames; `peer` and `broken` as in StreamFrames. */
export const makeStreamFrames = (
  live: LiveValues,
  peer: string,
  broken: (cause: Error) => void,
): StreamFrames => new StreamFrames(live, peer, broken);
