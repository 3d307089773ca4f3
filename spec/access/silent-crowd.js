import { connect } from 'node:net';
import process from 'node:process';

/** Run as a process: `silent-crowd.js PORT COUNT BYTES` holds so many connections open, over each of which it has said so much. */
const [port, count, bytes] = process.argv.slice(2).map(Number);
let settled = 0;
const told = () => {
  settled++;
  if (settled === count) process.stdout.write('held\n');
};
const held = Array.from({ length: count }, () => {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.once('connect', () => {
    if (bytes > 0) socket.write(Buffer.alloc(bytes, 0x16));
    told();
  });
  // Who is sent away does not mind, and keeps his descriptor.
  socket.on('error', () => {});
  return socket;
});
process.stdin.resume().on('end', () => {
  for (const socket of held) socket.destroy();
  process.exit();
});
