import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { barText, ProgressLine } from '../../../lib/cli/map/progress.ts';

const screen = (isTTY: boolean) => {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 60 });
  return { stream, text: () => (stream.read() as string | null) ?? '' };
};

describe('barText', () => {
  it('shows the share that is done, failures and speed', () => {
    expect(barText({ total: 8, done: 2, failed: 1 }, 2, 80)).toBe(
      '[######------------------] 2/8, 1 failed, 1/s',
    );
  });

  it('counts where the total is not known, and never exceeds the screen', () => {
    expect(barText({ total: undefined, done: 12, failed: 0 }, 1, 80)).toBe('12 done, 12/s');
    expect(barText({ total: 8, done: 8, failed: 0 }, 1, 10)).toHaveLength(10);
  });
});

describe('ProgressLine', () => {
  it('draws on a terminal, makes way for a log line, and leaves nothing behind', () => {
    vi.useFakeTimers();
    vi.stubEnv('NO_COLOR', '1');
    try {
      const { stream, text } = screen(true);
      const line = new ProgressLine(stream, () => ({ total: 2, done: 1, failed: 0 }));
      line.start();
      vi.advanceTimersByTime(100);
      line.log('news');
      vi.advanceTimersByTime(100);
      line.stop();
      vi.advanceTimersByTime(1000);
      const written = text();
      expect(written).toContain('] 1/2');
      expect(written).toContain('\r\u001b[2Knews\n');
      expect(written.endsWith('\r\u001b[2K')).toBe(true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
      expect(written).not.toMatch(/\u001b\[\d+m/);
    } finally {
      vi.unstubAllEnvs();
      vi.useRealTimers();
    }
  });

  it('writes nothing but log lines where there is no terminal', () => {
    vi.useFakeTimers();
    try {
      const { stream, text } = screen(false);
      const line = new ProgressLine(stream, () => ({ total: 2, done: 1, failed: 0 }));
      line.start();
      vi.advanceTimersByTime(1000);
      line.log('news');
      line.stop();
      expect(text()).toBe('news\n');
    } finally {
      vi.useRealTimers();
    }
  });
});
