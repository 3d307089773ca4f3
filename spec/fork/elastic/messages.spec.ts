import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../lib/fork/elastic/messages.ts';

const start = { name: 'process 2', execArgv: ['--expose-gc'], heartbeat: 1000, timeout: 30_000 };

describe('what is said beside the frames', () => {
  test.each([
    [{ hello: { host: 'box', pid: 4711 } }],
    [{ hello: { host: 'box', pid: 4711, name: 'a', bind: '0.0.0.0' } }],
    [{ welcome: true }],
    [{ refused: 'used' }],
    [{ start }],
    [{ start: { ...start, endAfter: 45_000 } }],
    [{ started: { pid: 4712 } }],
    [{ failed: { what: 'no node.', remedy: 'Install it.' } }],
    [{ line: '' }],
    [{ signal: 'SIGKILL' }],
    [{ exit: { exitCode: null, signal: 'SIGKILL' } }],
  ])('is read: %j', (message) => {
    expect(readMessage(JSON.stringify(message))).toEqual(message);
  });

  test.each([
    ['no JSON'],
    ['null'],
    ['[]'],
    ['{}'],
    ['{"constructor":true}'],
    ['{"hello":{"host":"box"}}'],
    ['{"hello":{"host":"box","pid":-1}}'],
    ['{"hello":{"host":"box","pid":1,"name":{}}}'],
    ['{"refused":"forged"}'],
    ['{"signal":"SIGSTOP"}'],
    ['{"line":1}'],
    ['{"line":"a","exit":{"exitCode":0,"signal":null}}'],
    ['{"start":{"name":"a","execArgv":[1],"heartbeat":1,"timeout":1}}'],
    ['{"start":{"name":"a","execArgv":[],"heartbeat":0,"timeout":1}}'],
  ])('is nothing that is known: %s', (text) => {
    expect(readMessage(text)).toBeUndefined();
  });
});
