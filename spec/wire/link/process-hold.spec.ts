import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const folder = new URL('../../../dist/lib/wire/link/', import.meta.url).href;
const ws = import.meta.resolve('ws');

/** Programs that have both ends of a link and nothing else to do. */
const programs = {
  'two rings': `
    import { MessageChannel } from 'node:worker_threads';
    const { RingLink } = await import('${folder}ring-link.js');
    const { ringMemory } = await import('${folder}ring.js');
    const [down, up] = [ringMemory(), ringMemory()];
    const { port1, port2 } = new MessageChannel();
    const ends = [new RingLink({ input: up, output: down, port: port1 }), new RingLink({ input: down, output: up, port: port2 })];`,
  'a socket': `
    import net from 'node:net';
    const { StreamLink } = await import('${folder}stream-link.js');
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const client = net.connect(server.address().port, '127.0.0.1');
    const socket = await new Promise((done) => server.once('connection', done));
    server.close();
    const ends = [new StreamLink(client, client), new StreamLink(socket, socket)];`,
  'a WebSocket': `
    const { WebSocketServer, WebSocket } = (await import('${ws}'));
    const { WebSocketLink } = await import('${folder}websocket-link.js');
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((done) => server.once('listening', done));
    const client = new WebSocket('ws://127.0.0.1:' + server.address().port);
    const [socket] = await Promise.all([
      new Promise((done) => server.once('connection', done)), new Promise((done) => client.once('open', done))]);
    server.close();
    const ends = [new WebSocketLink(client), new WebSocketLink(socket)];`,
};

describe('a process with an open link', () => {
  test.each(Object.entries(programs))('over %s ends unless the link holds it', async (_name, program) => {
    for (const holds of [false, true]) {
      const text = `${program}
        for (const end of ends) { end.open({ receive() {}, disconnected() {} }); end.unref(); }
        if (${holds}) ends[0].ref();
        // It fires only if something else keeps the process alive.
        setTimeout(() => { console.log('held'); ends[0].unref(); }, 150).unref();`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], {
        cwd: fileURLToPath(new URL('../../..', import.meta.url)),
        timeout: 10_000,
      });
      expect(stdout.trim()).toBe(holds ? 'held' : '');
    }
  });
});
