import { describe, expect, test } from 'vitest';
import {
  OffsiteError,
  OptionError,
  ProtocolError,
  SiteClosedError,
  SiteCrashedError,
  TimeoutError,
  UndecodableError,
  UnserializableError,
} from '../../lib/wire/errors.ts';

const death = { exitCode: 3, signal: null, stderr: ['last words'] };

describe('errors', () => {
  test.each([
    [new TimeoutError('m', 5), 'TimeoutError', 'ERR_OFFSITE_TIMEOUT', { waited: 5 }],
    [
      new UnserializableError('m', 'a.b'),
      'UnserializableError',
      'ERR_OFFSITE_UNSERIALIZABLE',
      { path: 'a.b' },
    ],
    [new UndecodableError('m'), 'UndecodableError', 'ERR_OFFSITE_UNDECODABLE', {}],
    [new ProtocolError('m'), 'ProtocolError', 'ERR_OFFSITE_PROTOCOL', {}],
    [new OptionError('host', 'm'), 'OptionError', 'ERR_OFFSITE_OPTION', { option: 'host' }],
    [new SiteClosedError('m', true), 'SiteClosedError', 'ERR_OFFSITE_CLOSED', { mayHaveRun: true }],
    [
      new SiteCrashedError('m', death, false),
      'SiteCrashedError',
      'ERR_OFFSITE_CRASHED',
      { ...death, mayHaveRun: false },
    ],
  ])('%s has its name, its code and what belongs to it', (error, name, code, own) => {
    expect(error).toBeInstanceOf(OffsiteError);
    expect(error).toMatchObject({ name, code, message: 'm', ...own });
    expect(String(error)).toBe(`${name}: m`);
    expect(Object.keys(error)).not.toContain('name');
  });

  test('keep their cause', () => {
    const cause = new Error('why');
    expect(new ProtocolError('m', { cause }).cause).toBe(cause);
  });
});
