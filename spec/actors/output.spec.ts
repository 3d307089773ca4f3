import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SiteOutput } from '../../actors/remote-manager/output.ts';
import { HEARTBEAT } from '../../lib/engine/protocol.ts';

afterEach(() => vi.restoreAllMocks());

const box = () => {
  const lines: string[] = [];
  return { lines, sink: (line: string) => void lines.push(line) };
};

describe('the output of a site', () => {
  test('goes line by line to where its user wants it, each stream to its own', () => {
    const [out, err] = [box(), box()];
    const output = new SiteOutput('bamse', out.sink, err.sink);
    output.write(1, 'half a ');
    output.write(2, 'a complaint\nand ');
    output.write(1, 'line\n\nrest');
    output.end();
    expect(out.lines).toEqual(['half a line', '', 'rest']);
    expect(err.lines).toEqual(['a complaint', 'and ']);
  });

  test('goes to our own streams with the name of the site in front', () => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const output = new SiteOutput('bamse', 'inherit', 'inherit');
    output.write(1, 'one\ntwo\n');
    output.write(2, 'three\n');
    output.onStrayLine('four');
    expect(out.mock.calls.map(([text]) => text)).toEqual(['bamse: one\n', 'bamse: two\n']);
    expect(err.mock.calls.map(([text]) => text)).toEqual(['bamse: three\n', 'bamse: four\n']);
  });

  test('goes to a stream as lines, without a name', async () => {
    const stream = new PassThrough();
    const output = new SiteOutput('bamse', stream, 'ignore');
    output.write(1, 'one\ntwo\n');
    stream.end();
    expect(await text(stream)).toBe('one\ntwo\n');
  });

  test('goes nowhere when nobody wants it, but its last errors are remembered', () => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const output = new SiteOutput('bamse', 'ignore', 'ignore');
    output.write(1, 'one\n');
    for (let i = 0; i < 30; i++) output.write(2, `error ${i}\n`);
    output.onStrayLine('from native code');
    expect(out).not.toHaveBeenCalled();
    expect(output.tail).toHaveLength(20);
    expect(output.tail.slice(-2)).toEqual(['error 29', 'from native code']);
  });

  test('has no heartbeats in it', () => {
    const err = box();
    const output = new SiteOutput('bamse', 'ignore', err.sink);
    output.write(2, `${HEARTBEAT}one${HEARTBEAT}\n`);
    expect(err.lines).toEqual(['one']);
  });

  test('goes on when what takes it throws, with one warning that names the site', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => void warnings.push(warning);
    process.on('warning', note);
    // Printed by Node.js itself otherwise.
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      const heard: string[] = [];
      const output = new SiteOutput(
        'bamse',
        (line) => {
          heard.push(line);
          throw new Error('the sink fails');
        },
        new Writable({
          write() {
            throw new Error('the stream fails');
          },
        }),
      );
      output.write(1, 'one\ntwo\n');
      output.write(2, 'three\nfour\n');
      await new Promise(setImmediate);
      expect(heard).toEqual(['one', 'two']);
      expect(output.tail).toEqual(['three', 'four']);
      expect(warnings).toHaveLength(2);
      expect(warnings[0]!.message).toMatch(/bamse threw.*the sink fails/);
    } finally {
      process.off('warning', note);
    }
  });
});
