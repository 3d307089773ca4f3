import { describe, expect, test } from 'vitest';
import { ask, bearer, closeMonitors, open } from './asking.ts';
import { Figures } from './watched.ts';

describe('figures for Prometheus', () => {
  closeMonitors();

  test('are lines of its text format, in seconds and bytes, with what is not known left out', async () => {
    const monitor = await open(new Figures());
    const { headers, text } = await ask(monitor, '/metrics', { headers: bearer(monitor) });
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = text.split('\n');
    expect(lines.at(-1)).toBe('');
    for (const line of [
      '# TYPE offsite_jobs_submitted_total counter',
      'offsite_jobs_submitted_total 7',
      '# TYPE offsite_jobs_queued gauge',
      'offsite_jobs_queued 3',
      'offsite_jobs_ended_total{outcome="done"} 1',
      'offsite_jobs_ended_total{outcome="cancelled"} 1',
      'offsite_job_seconds_total 2.5',
      'offsite_node_state{node="a",state="serving"} 1',
      'offsite_node_state{node="a",state="lost"} 0',
      'offsite_node_load_ratio{node="a"} 0.25',
      'offsite_node_memory_free_bytes{node="a"} 2000',
      'offsite_node_last_news_time_seconds{node="a"} 1.5',
    ]) {
      expect(lines).toContain(line);
    }
    expect(text).not.toContain('disk');
    // Each line is a comment or a sample; each family has its type once, before its samples.
    const types = new Set<string>();
    for (const line of lines.slice(0, -1)) {
      const [, typed] = /^# TYPE (\S+) (?:counter|gauge)$/.exec(line) ?? [];
      if (typed !== undefined) {
        expect(types.has(typed)).toBe(false);
        types.add(typed);
      } else if (!/^# HELP \S+ .+$/.test(line)) {
        const [, name] =
          /^([a-z_]+)(?:\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? [\d.e+-]+$/.exec(line) ?? [];
        expect([line, types.has(name!)]).toEqual([line, true]);
      }
    }
  });

  test('escape names of nodes', async () => {
    const watched = new Figures();
    watched.list = [{ ...watched.list[0]!, name: 'a"b\\c\nd' }];
    const monitor = await open(watched);
    const { text } = await ask(monitor, '/metrics', { headers: bearer(monitor) });
    expect(text).toContain('offsite_node_cpus{node="a\\"b\\\\c\\nd"} 4\n');
  });
});
