import { expect, test } from 'vitest';
import { eventJson, eventLine } from '../../../lib/cli/serve/log.ts';

const who = { user: 'ada', from: '10.0.0.3:51234' };
const site = { ...who, name: 'bamse/1', pid: 4719, folder: '/tmp/x', bridge: false };

test('people read what happens in sentences, and nothing of bridges', () => {
  expect(eventLine('bamse', 'client', who)).toBe('ada has come from 10.0.0.3:51234');
  expect(eventLine('bamse', 'clientGone', { ...who, sites: 2 })).toBe(
    'ada from 10.0.0.3:51234 has gone, after 2 sites',
  );
  expect(eventLine('bamse', 'clientGone', { ...who, sites: 1 })).toMatch(/after 1 site$/);
  expect(eventLine('bamse', 'cpus', 1)).toBe('bamse has 1 cpu');
  expect(eventLine('bamse', 'site', site)).toBe('bamse/1 of ada runs (pid 4719) in /tmp/x');
  expect(eventLine('bamse', 'site', { ...site, bridge: true })).toBeUndefined();
  expect(eventLine('bamse', 'siteEnded', { ...who, name: 'bamse/1', pid: 4719, after: 62_000 })).toBe(
    'bamse/1 of ada (pid 4719) has ended after 1m 2s',
  );
  expect(eventLine('bamse', 'state', 'closed')).toBe('bamse is closed until its service hours begin');
  expect(eventLine('bamse', 'ended', { why: 'failed', cause: new Error('no port') })).toBe(
    'bamse could not serve: no port',
  );
});

test('a name that somebody else has chosen can not steer the terminal or forge a line', () => {
  expect(eventLine('bamse', 'site', { ...site, name: 'a\noffsite: b\u001b[2J' })).toBe(
    'a?offsite: b?[2J of ada runs (pid 4719) in /tmp/x',
  );
});

test('programs read one object for each event, with the message of an error', () => {
  expect(JSON.parse(eventJson('site', site, 7))).toEqual({ event: 'site', at: 7, ...site });
  expect(JSON.parse(eventJson('cpus', 3, 7))).toEqual({ event: 'cpus', at: 7, cpus: 3 });
  expect(JSON.parse(eventJson('uncontrolled', new Error('no folder'), 7))).toEqual({
    event: 'uncontrolled',
    at: 7,
    message: 'no folder',
  });
  expect(JSON.parse(eventJson('folderLeft', { folder: '/tmp/x', cause: new Error('busy') }, 7))).toEqual({
    event: 'folderLeft',
    at: 7,
    folder: '/tmp/x',
    message: 'busy',
  });
});
