import { describe, expect, test } from 'vitest';
import { engineGreeting, managerGreeting } from '../../lib/engine/greetings.ts';
import { ProtocolError } from '../../lib/wire/errors.ts';
import { PROTOCOL } from '../../lib/wire/frame/frame.ts';
import { endOf, memoryLinks } from '../wire/pair.ts';

const manager = {
  protocol: PROTOCOL,
  pid: 1,
  name: 'x',
  detach: false,
  local: true,
  env: { A: 'b', C: null },
};
const engine = { protocol: PROTOCOL, node: '20.19.0', pid: 1, platform: 'linux', hostname: 'x' };

const WRONG: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 2],
  ['a list', [PROTOCOL]],
  ['no version', {}],
  ['a version that is text', { protocol: '2' }],
  ['half a version', { protocol: 1.5 }],
];

describe('a greeting', () => {
  test('of a manager or an engine is taken as it is', () => {
    expect([managerGreeting(manager), engineGreeting(engine)]).toEqual([manager, engine]);
  });

  test('of another version is taken, so that it can be told what is wrong', () => {
    const other = { protocol: PROTOCOL + 1, whatever: 1 };
    expect([managerGreeting(other), engineGreeting(other)]).toEqual([other, other]);
  });

  test.each(WRONG)('can not be %s', (_name, greeting) => {
    expect(() => managerGreeting(greeting)).toThrow(ProtocolError);
    expect(() => engineGreeting(greeting)).toThrow(ProtocolError);
  });

  test.each([
    { pid: 'x' },
    { pid: null },
    { name: 1 },
    { cwd: 5 },
    { env: [] },
    { env: null },
    { env: { A: 1 } },
    { detach: 'no' },
    { local: undefined },
    { heartbeat: 0 },
    { unreachableTimeout: 'x' },
    { sshConnection: 1 },
  ])('of a manager can not have %j', (wrong) => {
    expect(() => managerGreeting({ ...manager, ...wrong })).toThrow(ProtocolError);
  });

  test.each([
    { pid: 1.5 },
    { node: null },
    { hostname: 5 },
    { platform: undefined },
    { refused: 'no' },
    { refused: { step: 'other', message: 'x' } },
    { refused: { step: 'cwd' } },
  ])('of an engine can not have %j', (wrong) => {
    expect(() => engineGreeting({ ...engine, ...wrong })).toThrow(ProtocolError);
  });
});

test.each([
  { calls: '5' },
  { calls: null },
  { depth: Number.NaN },
  { frameSize: 0 },
  { references: -1 },
  { streams: 1.5 },
  { messageSize: 2 ** 60 },
  { unknown: 5 },
  null,
  5,
])('limits that came over the wire can not be %j', (limits) => {
  const [link] = memoryLinks();
  const { session } = endOf('peer', undefined, link);
  expect(() => session.limit(limits as object)).toThrow(ProtocolError);
});
