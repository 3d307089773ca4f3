import { describe, expect, test } from 'vitest';
import { ask, bearer, closeMonitors, open } from './asking.ts';
import { Figures } from './watched.ts';

describe('steering by a monitor', () => {
  closeMonitors();

  test('nodes are drained, resumed and given slots by their names, whatever these are', async () => {
    const watched = new Figures();
    const name = 'user@host/2 #"é"';
    watched.list = [...watched.list, { ...watched.list[0]!, name }];
    const monitor = await open(watched);
    const post = async (path: string, body?: unknown) =>
      (await ask(monitor, path, { method: 'POST', headers: bearer(monitor), body })).code;
    const path = `/nodes/${encodeURIComponent(name)}`;
    expect(await post('/nodes/a/drain')).toBe(202);
    expect(await post(`${path}/resume`)).toBe(202);
    expect(await post(`${path}/cpus`, { cpus: 3 })).toBe(202);
    expect(watched.asked).toEqual(['drain a', `resume ${name}`, `cpus ${name} 3`]);
  });

  test('what is not there or can not be is refused in words, and nothing is done', async () => {
    const watched = new Figures();
    const monitor = await open(watched);
    const post = async (path: string, body?: unknown, headers = {}) => {
      const asked = { method: 'POST', headers: { ...bearer(monitor), ...headers }, body };
      const { code, text } = await ask(monitor, path, asked);
      return [code, JSON.parse(text).error];
    };
    expect(await post('/jobs/none/cancel')).toEqual([404, 'There is no job none.']);
    expect(await post('/jobs/over/cancel')).toEqual([409, 'The job over is over already.']);
    expect(await post('/nodes/none/drain')).toEqual([404, 'There is no node none.']);
    expect((await post('/nodes/a/drop'))[0]).toBe(404);
    expect((await post('/jobs/j-1/cancel/more'))[0]).toBe(404);
    expect((await post('/'))[0]).toBe(404);
    for (const cpus of [-1, 1.5, '2', null, undefined]) {
      expect((await post('/nodes/a/cpus', { cpus }))[0]).toBe(400);
    }
    expect((await post('/nodes/a/cpus', null))[0]).toBe(400);
    expect((await post('/nodes/a/cpus', { cpus: 2, more: 'x'.repeat(2_000) }))[0]).toBe(413);
    expect((await post('/nodes/a/cpus', { cpus: 2 }, { 'Content-Type': 'text/plain' }))[0]).toBe(415);
    expect(watched.asked).toEqual([]);
  });
});
