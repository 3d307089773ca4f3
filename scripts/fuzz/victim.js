import { callSignal } from '../../dist/lib/wire/call/scope.js';
import { byReference } from '../../dist/lib/wire/reference/reference.js';

const quiet = () => {};

/** Looks at all that it gets, as user code does, and fails in no way that user code is to blame for. */
const use = async (value) => {
  if (typeof value === 'function') return await value(1).catch(quiet);
  if (value instanceof AbortSignal) return value.aborted;
  if (typeof value?.getReader === 'function' && !value.locked) {
    const reader = value.getReader();
    reader.closed.catch(quiet);
    let size = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) size++;
    return size;
  }
  if (typeof value?.getWriter === 'function' && !value.locked) {
    const writer = value.getWriter();
    writer.closed.catch(quiet);
    writer.ready.catch(quiet);
    for (let i = 0; i < 3; i++) await writer.write({ i });
    return await writer.close();
  }
  if (typeof value?.[Symbol.asyncIterator] === 'function') {
    let size = 0;
    for await (const _item of value) if (++size > 100) break;
    return size;
  }
  return value;
};

class Counter {
  count = 0;
  up(by = 1) {
    this.count += Number(by);
    return this.count;
  }
}

/** What the fuzzed session has as its main object; `near` has the same while traffic is recorded. */
export const makeVictim = () => ({
  add: (a, b) => a + b,
  echo: (value) => value,
  use,
  useAll: (values) => Promise.all(Object.values(values ?? {}).map((value) => use(value).catch(quiet))),
  counter: () => byReference(new Counter()),
  Counter,
  callBack: async (f, ...args) => await f(...args),
  keep: byReference({ a: { b: (x) => x }, text: 'text', list: [1, 2] }),
  fail: (what) => {
    throw what === undefined ? new RangeError('as asked', { cause: new Error('deeper') }) : what;
  },
  later: async (value) => {
    await null;
    return value;
  },
  never: () =>
    new Promise((_resolve, reject) => {
      callSignal()?.addEventListener('abort', () => reject(new Error('given up')));
    }),
  async *items(count = 3, size = 10) {
    for (let i = 0; i < Math.min(count, 1000); i++) yield 'x'.repeat(Math.min(size, 10_000));
    return 'end';
  },
  readable: () => ReadableStream.from([1, { two: 2 }, new Uint8Array(9)]),
  writable: () => new WritableStream({ write: (value) => void use(value).catch(quiet) }),
  bytes: (size) => new Uint8Array(Math.min(Number(size) || 0, 600_000)),
  signal: () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort('later'));
    return controller.signal;
  },
});
