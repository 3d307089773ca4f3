import { afterAll, beforeAll } from 'vitest';
import { type ServedHost, startServe } from '../support/daemon.ts';
import { conformance } from './conformance.ts';

let daemon: ServedHost;

beforeAll(async () => {
  daemon = await startServe(['--cpus', '64']);
});
afterAll(() => daemon.close());

conformance('a daemon', () => ({
  host: daemon.host,
  fork: 'daemon',
  credentials: { secret: daemon.secret },
}));
