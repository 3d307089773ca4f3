import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { ringMemory } from '../../../lib/wire/link/ring.ts';
import { RingLink } from '../../../lib/wire/link/ring-link.ts';
import { listen } from './conformance.ts';

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** The built link: a worker of Node 20 reads no TypeScript. */
const built = new URL('../../../dist/lib/wire/link/ring-link.js', import.meta.url);

/** Opens the other end in a real thread, which runs `body` with its link at hand. */
const start = async (body: string) => {
  const [down, up] = [ringMemory(), ringMemory()];
  const { port1, port2 } = new MessageChannel();
  const text = `
    import { workerData } from 'node:worker_threads';
    import { RingLink } from ${JSON.stringify(built.href)};
    const link = new RingLink(workerData);
    const hold = setInterval(() => {}, 1e9);
    ${body}`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`), {
    workerData: { input: down, output: up, port: port2 },
    transferList: [port2],
  });
  workers.push(worker);
  const link = new RingLink({ input: up, output: down, port: port1 });
  worker.once('exit', () => {
    link.receiveSync(0);
    port1.close();
  });
  await once(worker, 'online');
  return { link, worker };
};

const echo = `link.open({
  receive(bytes, from, to) { link.send(Buffer.from(bytes.subarray(from, to))); },
  disconnected() { clearInterval(hold); },
});`;

const frame = (number: number, size: number) => {
  const bytes = Buffer.allocUnsafeSlow(size).fill((number * 7 + 1) & 0xff);
  bytes.writeUInt32LE(size - 4, 0);
  bytes.writeDoubleLE(number, 8);
  return bytes;
};

describe('a ring link to another thread', () => {
  test('carries frames of all sizes there and back, in order', async () => {
    const { link } = await start(echo);
    const end = listen(link);
    const sizes = Array.from({ length: 120 }, (_, i) => (i % 20 === 7 ? 1_500_000 : 16 + 1_111 * i));
    for (const [number, size] of sizes.entries()) link.send(frame(number, size));
    await end.count(sizes.length);
    expect([end.frames, end.wrong]).toEqual([sizes.map((size, number) => [number, size]), []]);
    link.destroy();
  });

  test('is over, once, when the thread is terminated while it does nothing but work', async () => {
    const { link, worker } = await start('link.send(Buffer.alloc(16)); while (true) {}');
    const end = listen(link);
    await worker.terminate();
    await end.gone();
    expect(end.disconnected).toEqual([undefined]);
  });

  test('delivers what the thread sent last, large or small, before it ended in order', async () => {
    const { link } = await start(`
      const frame = (size) => { const b = Buffer.alloc(size); b.writeUInt32LE(size - 4); return b; };
      process.on('exit', () => link.send(frame(32)));
      link.send(frame(16)); link.send(frame(600_000)); link.send(frame(24));
      process.exit();`);
    const end = listen(link);
    await end.gone();
    expect(end.frames.map(([, size]) => size)).toEqual([16, 600_000, 24, 32]);
  });

  test.each([
    ['is destroyed', 'link.destroy();'],
    ['ends its thread', 'process.exit();'],
  ])('lets nobody wait synchronously whose peer %s meanwhile', async (_how, end) => {
    const { link } = await start(`
      link.open({ receive() { ${end} }, disconnected() {} });`);
    const { disconnected } = listen(link);
    link.send(frame(0, 16));
    const from = performance.now();
    // The bound of `require`, which nobody should have to wait for.
    link.receiveSync(30_000);
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(disconnected).toEqual([undefined]);
  });

  test('lets a blocked thread go when the other end is destroyed', async () => {
    const { link, worker } = await start(`
      let gone = 0;
      link.open({ receive() {}, disconnected() { gone++; } });
      process.stdout.write('up');
      link.receiveSync(30_000);
      process.exit(10 + gone);`);
    listen(link);
    const exited = once(worker, 'exit');
    link.destroy();
    expect(await exited).toEqual([11]);
  });
});
