import { afterEach, describe, expect, test } from 'vitest';
import { captureOutput } from '../../lib/engine/output.ts';
import { RemoteManager } from '../../lib/index.ts';
import type { Session } from '../../lib/wire/session.ts';
import { closeTracked, fixture, type Misbehave, track } from '../support/sites.ts';

const own = {
  stdout: Object.getOwnPropertyDescriptor(process, 'stdout')!,
  stderr: Object.getOwnPropertyDescriptor(process, 'stderr')!,
};

afterEach(async () => {
  Object.defineProperty(process, 'stdout', own.stdout);
  Object.defineProperty(process, 'stderr', own.stderr);
  await closeTracked();
});

/** Captures what this process prints, as an engine does; the hook above gives it its own streams again. */
const capture = () => {
  const frames: [number, string][] = [];
  const session = { output: (descriptor: number, text: string) => void frames.push([descriptor, text]) };
  captureOutput(session as unknown as Session, () => 0);
  return frames;
};

describe('what JavaScript prints in a site', () => {
  test('travels as frames, with the descriptor that it was meant for', () => {
    const frames = capture();
    process.stdout.write('out\n');
    process.stderr.write(Buffer.from('err\n'));
    process.stdout.write('67 72 c3 b6', 'utf8');
    expect(frames).toEqual([
      [1, 'out\n'],
      [2, 'err\n'],
      [1, '67 72 c3 b6'],
    ]);
    expect([process.stdout.fd, process.stderr.fd]).toEqual([1, 2]);
  });

  test('travels in whole characters, however it is written', () => {
    const frames = capture();
    const bytes = Buffer.from('ö🙂');
    for (const byte of bytes) process.stdout.write(Buffer.from([byte]));
    expect(frames.map(([, text]) => text).join('')).toBe('ö🙂');
    expect(frames.some(([, text]) => text.includes('\ufffd'))).toBe(false);
  });

  test('is taken at once, and whoever waits for that is told', async () => {
    const frames = capture();
    await new Promise<void>((resolve) => {
      process.stdout.write('waited for', () => resolve());
    });
    expect(frames).toEqual([[1, 'waited for']]);
  });

  test('can be printed after somebody has ended or destroyed the stream', () => {
    const frames = capture();
    process.stdout.destroy();
    process.stdout.on('error', () => {});
    process.stdout.write('still here');
    process.stderr.write('and here');
    expect(frames.at(-1)).toEqual([2, 'and here']);
  });
});

describe('a site that prints more than is read', () => {
  test('loses none of it, although it never lets go of its thread', async () => {
    const lines = { out: 0, err: 0 };
    const seen = new Set<string>();
    const count = (kind: 'out' | 'err') => (line: string) => {
      lines[kind]++;
      seen.add(line);
    };
    const site = track(new RemoteManager({ fork: 'sh', stdout: count('out'), stderr: count('err') }));
    const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
    // About 8 MiB of frames, printed in one go.
    const wanted = 250_000;
    expect(await misbehave.flood(wanted)).toBe(wanted);
    await site.close();
    // A process blocks in printing until the link has taken it, as with a pipe of its own.
    expect(lines).toEqual({ out: wanted, err: 0 });
    expect(seen.size).toBe(wanted);
  });
});
