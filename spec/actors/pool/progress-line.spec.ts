import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { barText, ProgressLine, progressBar } from '../../../actors/pool/progress-line.ts';

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

describe('barText of a map', () => {
  const progress = { total: 8, done: 2, failed: 0, rate: 0.4, busy: 2 };

  it('shows the time that is left, and who is busy', () => {
    expect(barText({ ...progress, eta: 15_000 }, 1, 80)).toBe(
      '[######------------------] 2/8, 0/s, 15 s left, 2 busy',
    );
    expect(barText({ ...progress, eta: 150_000 }, 1, 80)).toContain('3 min left');
    expect(barText({ ...progress, eta: 7_200_000 * 2 }, 1, 80)).toContain('4 h left');
    expect(barText({ ...progress, eta: undefined }, 1, 80)).not.toContain('left');
  });
});

describe('progressBar', () => {
  it('draws what it was told last, and is gone at the end', () => {
    vi.useFakeTimers();
    vi.stubEnv('NO_COLOR', '1');
    try {
      const { stream, text } = screen(true);
      const bar = progressBar(stream);
      const progress = { total: 4, failed: 1, rate: 2, eta: 1_000, busy: 1, ended: false };
      bar({ ...progress, done: 1 });
      bar({ ...progress, done: 2 });
      vi.advanceTimersByTime(100);
      bar({ ...progress, done: 4, ended: true });
      vi.advanceTimersByTime(1_000);
      const written = text();
      expect(written).toContain('2/4, 1 failed, 2/s, 1 s left');
      expect(written).not.toContain('1/4');
      expect(written.endsWith('\r\u001b[2K')).toBe(true);
    } finally {
      vi.unstubAllEnvs();
      vi.useRealTimers();
    }
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
