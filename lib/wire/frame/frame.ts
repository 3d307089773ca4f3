/**
 * What is on the wire. A frame is a little-endian u32 that counts the bytes after it, then a kind, flags and a
 * body whose layout depends on the kind. The header stands apart from the body, so that a body which can't be
 * decoded still says which call it was for. The whole layout is in docs/protocol.md.
 */

/** The protocol's version; both ends must have the same one. */
export const PROTOCOL = 2;

/** Kinds of frame. */
export const Kind = {
  /** JSON: who I am. The first frame in each direction. */
  hello: 1,
  /** id, target, path, body: apply, construct or get. */
  call: 2,
  /** id, body: what a call gave. */
  return: 3,
  /** id, body: what a call threw. */
  throw: 4,
  /** id: the result of this call is wanted after all. */
  pull: 5,
  /** id, body: this call is given up; the body is the reason. */
  cancel: 6,
  /** id, count: this many introductions of a reference are no longer held. */
  release: 7,
  /** id: answer with `pong`. */
  ping: 8,
  /** id. */
  pong: 9,
  /** descriptor in the flags, UTF-8 text: what user code printed. */
  output: 10,
  /** Shut down in order. */
  close: 11,
  /** id, body: one item of a stream. */
  chunk: 12,
  /** id, body: a stream is complete; the body is what its generator returned. */
  end: 13,
  /** id, body: what ended a stream early, or stopped its making. */
  fail: 14,
  /** id, bytes: so much of a stream may be sent beyond what may be already. */
  credit: 15,
  /** id, body: no more of a stream is wanted; the body is why. */
  stop: 16,
  /** id, body: a signal was aborted, the body is the reason; or, with FORGET, it never will be. */
  abort: 17,
  /** id, bytes: a piece of what is too large for a frame. */
  part: 18,
} as const;

/** What a call does with its target; the low bits of a call's flags. */
export const Operation = { apply: 0, construct: 1, get: 2 } as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** Mask of the operation in a call's flags. */
export const OPERATION_MASK = 0b11;
/** Call flag: somebody waits for the result, send it. */
export const PULLED = 0b100;
/** Call flag: nothing will be pipelined on the result, so forget it once it is sent. */
export const ONCE = 0b1000;
/** Call flag: its caller may give it up, so it must be findable by its id while it runs. */
export const CANCELLABLE = 0b10000;
/** Call flag: it was given up before it left; its arguments are taken in, but it is not performed. */
export const VOID = 0b100000;

/** Flag of a stream's frames: the id is the receiver's own. */
export const HOME = 1;
/** Flag of `abort`: the signal can't be aborted any more. */
export const FORGET = 1;
/** Flag of `part`: the rest will not come. */
export const CUT = 1;

/** Bytes before a frame's payload: u32 size, u8 kind, u8 flags, u16 segments of the path. */
export const HEADER = 8;
/** Where the flags lie, from the beginning of the frame. */
export const FLAGS_AT = 5;
/** A frame of more bytes than this is refused, and the link with it: 1 GiB. */
export const MAX_FRAME = 1 << 30;
