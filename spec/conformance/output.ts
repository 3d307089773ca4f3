import { describe, expect, test } from 'vitest';
import { type Bench, fixture, LineBox, type Misbehave } from '../support/sites.ts';

const SHARED_DESCRIPTORS =
  "A virtual site shares this process's descriptors: what bypasses its streams goes where ours goes.";

/** What user code prints arrives as lines, and never damages the link. */
export function output(bench: Bench): void {
  const forkWithBoxes = async () => {
    const out = new LineBox();
    const err = new LineBox();
    const site = bench.fork({ stdout: out.sink, stderr: err.sink });
    return { site, out, err, misbehave: await site.link<Misbehave>(fixture('misbehave.js')) };
  };

  describe('output', () => {
    test('printed lines arrive one by one, in order, with nothing lost and nothing added', async () => {
      const { site, out, err, misbehave } = await forkWithBoxes();
      await misbehave.logLines(['first', '', 'größe 🙂', 'x'.repeat(5_000)]);
      await misbehave.writeOut('half a ');
      await misbehave.writeOut('line\nand an unfinished one');
      await misbehave.writeErr('a complaint\n');
      await err.line('a complaint');
      await site.close();
      expect(out.lines).toEqual([
        'first',
        '',
        'größe 🙂',
        'x'.repeat(5_000),
        'half a line',
        'and an unfinished one',
      ]);
      expect(err.lines).toEqual(['a complaint']);
    });

    test('what was printed just before close still arrives', async () => {
      const { site, out, misbehave } = await forkWithBoxes();
      expect(await misbehave.flood(2_000)).toBe(2_000);
      await site.close();
      expect(out.lines).toHaveLength(2_000);
      expect(out.lines.at(-1)).toBe('flood 1999');
    });

    test('noise that bypasses the streams does not damage the link', async (context) => {
      if (bench.virtual) context.skip(SHARED_DESCRIPTORS);
      const { site, out, err, misbehave } = await forkWithBoxes();
      await misbehave.writeDescriptor(1, 'straight to descriptor 1\n');
      await misbehave.writeDescriptor(2, 'straight to descriptor 2\n');
      expect(await misbehave.printFromGrandchild('from a grandchild')).toBe(0);
      // Where a method can't keep the two apart, both come out of the second; what counts is that they come.
      const seen = async (text: string) => Promise.race([out.line(text), err.line(text)]);
      expect(await seen('straight to descriptor 1')).toBe('straight to descriptor 1');
      expect(await seen('straight to descriptor 2')).toBe('straight to descriptor 2');
      expect(await seen('from a grandchild')).toBe('from a grandchild');
      expect(await site.ping()).toBeGreaterThan(0);
    });

    test('bytes that look like frames, printed to descriptor 1, are only noise', async (context) => {
      if (bench.virtual) context.skip(SHARED_DESCRIPTORS);
      const { site, misbehave } = await forkWithBoxes();
      await misbehave.writeDescriptor(1, '\u0000\u0000\u0000\u0010{"type":"close"}\n'.repeat(50));
      expect(await site.ping()).toBeGreaterThan(0);
      expect(await misbehave.pid()).toBeGreaterThan(0);
    });

    test('output that nobody wants goes nowhere', async () => {
      const site = bench.fork({ stdout: 'ignore', stderr: 'ignore' });
      const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
      await misbehave.logLines(['unheard']);
      expect(await site.ping()).toBeGreaterThan(0);
    });

    test('a sink that throws does not harm the site', async () => {
      const heard: string[] = [];
      const site = bench.fork({
        stdout: (line) => {
          heard.push(line);
          if (line === 'one') throw new Error('the sink fails');
        },
      });
      const misbehave = await site.link<Misbehave>(fixture('misbehave.js'));
      await misbehave.logLines(['one', 'two']);
      await site.close();
      expect(heard).toEqual(['one', 'two']);
    });
  });
}
