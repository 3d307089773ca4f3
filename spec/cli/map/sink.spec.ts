import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LineSink } from '../../../lib/cli/map/sink.ts';

describe('LineSink', () => {
  it('makes writers wait for a slow reader', async () => {
    const pending: (() => void)[] = [];
    const stream = new Writable({
      highWaterMark: 4,
      write: (_chunk, _encoding, done) => void pending.push(done),
    });
    const sink = new LineSink(
      stream,
      () => {},
      () => {},
    );
    await sink.room();
    sink.write(['a long line']);
    let room = false;
    const waiting = sink.room().then(() => {
      room = true;
    });
    await new Promise(setImmediate);
    expect(room).toBe(false);
    pending.shift()?.();
    await waiting;
  });

  it('says once that the reader is gone, lets nobody wait for it, and writes no more', async () => {
    const failures: string[] = [];
    let writes = 0;
    const stream = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => {
        writes += 1;
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const sink = new LineSink(
      stream,
      () => {},
      (error) => failures.push(error.code ?? ''),
    );
    sink.write(['a']);
    await sink.room();
    await new Promise(setImmediate);
    sink.write(['b']);
    await sink.room();
    expect(failures).toEqual(['EPIPE']);
    expect(writes).toBe(1);
  });
});
