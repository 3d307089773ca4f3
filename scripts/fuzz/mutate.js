/** Numbers that break what counts. */
const INSANE = [
  0,
  -0,
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  -1,
  -2,
  -3,
  0.5,
  1.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  5e-324,
  1e308,
  255,
  65_535,
  2 ** 20,
  1e6,
];
const TOKENS = [
  'null',
  '[]',
  '{}',
  '[0]',
  '[1]',
  '""',
  'true',
  '[[0]]',
  '-1',
  '1e999',
  '4294967295',
  '"__proto__"',
];
const KINDS = ['reference', 'result', 'signal', 'aborted', 'iterable', 'readable', 'writable', 'transform'];

/** Every list in a text of JSON, and every object. */
const partsOf = (value, parts = []) => {
  if (typeof value !== 'object' || value === null) return parts;
  parts.push(value);
  for (const key of Object.keys(value)) partsOf(value[key], parts);
  return parts;
};
const BODY_AT = { 2: 24 };

/** A generator of numbers from 0 to 1 that gives the same for the same seed (mulberry32). */
export const makeRandom = (seed) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const resize = (frame) => {
  frame.writeUInt32LE(frame.length - 4, 0);
  return frame;
};

/** Where a frame's body begins, behind the path. */
const bodyOf = (frame) => {
  let at = BODY_AT[frame[4]] ?? 16;
  if (frame[4] !== 2) return at;
  for (let i = frame.readUInt16LE(6); i > 0 && at + 2 <= frame.length; i--) at += 2 + frame.readUInt16LE(at);
  return at;
};

/** Makes of frames what no session would send; `random` decides. */
export const makeMutator = (random, corpus) => {
  const below = (n) => Math.floor(random() * n);
  const of = (list) => list[below(list.length)];

  const bits = (frame) => {
    for (let i = below(4); i >= 0; i--) frame[4 + below(frame.length - 4)] ^= 1 << below(8);
    return frame;
  };
  const number = (frame) => {
    const value = of(INSANE);
    const at = of([8, 8, 16, 16, bodyOf(frame) + 1, below(frame.length)]);
    if (at + 8 <= frame.length) frame.writeDoubleLE(value, at);
    return frame;
  };
  const header = (frame) => {
    const which = below(4);
    if (which === 0) frame.writeUInt16LE(of([0, 1, 2, 3, 65_535]), 6);
    else if (which === 1) frame[5] = below(256);
    else if (which === 2) frame[4] = below(20);
    else frame.writeUInt32LE(of([0, 1, 11, 12, 2 ** 31, 2 ** 32 - 1, below(200)]), 0);
    return frame;
  };
  const truncate = (frame) =>
    resize(Buffer.from(frame.subarray(0, 16 + below(Math.max(1, frame.length - 16)))));
  const cut = (frame) => Buffer.from(frame.subarray(0, below(frame.length)));
  const live = () => [
    8,
    of(KINDS),
    of([-1, -2, -3, 0, 1, 2, 5, 7]),
    random() < 0.5,
    ...(random() < 0.3 ? [[below(3)]] : []),
  ];
  /** A part of a body in the place of another. */
  const graft = (text) => {
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      // It was damaged before.
      return text;
    }
    const parts = partsOf(json);
    if (parts.length === 0) return text;
    const into = of(parts);
    const keys = Object.keys(into);
    const what = of([live(), live(), live(), [below(4)], [], of(parts), of(INSANE), of(TOKENS)]);
    if (Array.isArray(into) && random() < 0.5) into.splice(below(into.length + 1), below(2), what);
    else into[keys.length > 0 ? of(keys) : 'key'] = what;
    try {
      return JSON.stringify(json);
    } catch {
      // It has become a part of itself.
      return text;
    }
  };
  const word = (text) => {
    const places = [...text.matchAll(/-?\d+(?:\.\d+)?|"[^"]*"|true|false|null|\[\]/g)];
    if (places.length === 0) return text;
    const place = of(places);
    const made =
      random() < 0.5
        ? String(of(INSANE)).replace(/NaN|-?Infinity/, '1e999')
        : of([...TOKENS, JSON.stringify(of(KINDS)), of(places)[0]]);
    return text.slice(0, place.index) + made + text.slice(place.index + place[0].length);
  };
  /** A body that promises what comes later, in the place of another. */
  const promise = (frame) => {
    const graph = Buffer.from(JSON.stringify([[below(2)], [[0, [1]], live(), live()]]));
    const size = Buffer.alloc(9, 1);
    size.writeDoubleLE(graph.length, 1);
    return resize(Buffer.concat([frame.subarray(0, Math.min(bodyOf(frame), frame.length)), size, graph]));
  };
  /** Another number or word in the text of a body, which stays as long as it says that it is. */
  const token = (frame) => {
    const body = bodyOf(frame);
    const rich = frame[body] === 1 && body + 9 <= frame.length;
    const start = rich ? body + 9 : body + 1;
    const size = rich ? Math.min(frame.readDoubleLE(body + 1), frame.length - start) : frame.length - start;
    if (!(size > 0) || size > 20_000) return frame;
    const text = frame.toString('utf8', start, start + size);
    const changed = Buffer.from(rich && random() < 0.5 && text.startsWith('[') ? graft(text) : word(text));
    const made = Buffer.concat([frame.subarray(0, start), changed, frame.subarray(start + size)]);
    if (rich) made.writeDoubleLE(changed.length, body + 1);
    return resize(made);
  };
  const ways = [bits, number, number, header, truncate, cut, token, token, token, token, token, promise];

  /** Frames out of the corpus of which some are changed, repeated, moved, left out or somebody else's. */
  return () => {
    const { sharesMemory, frames } = of(corpus);
    let made = frames.map(({ frame, beside }) => ({ frame, beside }));
    if (random() < 0.5) made = made.slice(below(3), below(made.length) + 3);
    for (let i = below(4); i > 0; i--) made.splice(below(made.length), below(3), of(of(corpus).frames));
    for (let i = below(3); i > 0; i--)
      made.splice(below(made.length), 0, of(made.length > 0 ? made : frames));
    if (random() < 0.2) {
      const [a, b] = [below(made.length), below(made.length)];
      [made[a], made[b]] = [made[b], made[a]];
    }
    made = made.filter(Boolean);
    for (let i = below(5); i > 0 && made.length > 0; i--) {
      const at = below(made.length);
      const { frame, beside } = made[at];
      if (frame.length >= 16) made[at] = { frame: of(ways)(Buffer.from(frame)), beside };
    }
    return { sharesMemory, frames: made, together: random() < 0.3, turns: random() < 0.5 };
  };
};
