import { describe, expect, it, vi } from 'vitest';
import { numberOf, parse, usage, wantsHelp } from '../../lib/cli/command.ts';
import { engine } from '../../lib/cli/engine.ts';
import { mayColour, report, UsageError } from '../../lib/cli/report.ts';

const command = {
  ...engine,
  operands: 'WHAT',
  args: {
    sites: { type: 'string', alias: 'p', description: 'how many' },
    host: { type: 'string', description: 'where' },
    loud: { type: 'boolean', description: 'say more' },
  },
} as const;

describe('the command line', () => {
  it('sorts options from inputs, before and after them', () => {
    const { args, rest } = parse(command, ['a', '-p', '4', '-', '--loud', 'b', '--', '-c', '--help']);
    expect(args).toMatchObject({ sites: '4', loud: true });
    expect(rest).toEqual(['a', '-', 'b', '-c', '--help']);
  });

  it('keeps every value of an option that is repeated', () => {
    expect(parse(command, ['--host', 'a', '--host=b', '--', '--host', 'c']).all('host')).toEqual(['a', 'b']);
  });

  it.each([[['--lod']], [['-x']], [['--no-such']], [['--sites']], [['--sites=']]])('refuses %j', (words) => {
    expect(() => parse(command, words)).toThrow(UsageError);
  });

  it.each(['', 'x', '0', '-1', '1.5', 'Infinity'])('takes no %j for a number of sites', (text) => {
    expect(() => numberOf(parse(command, [`--sites=${text}`]), 'sites', { least: 1, whole: true })).toThrow(
      UsageError,
    );
  });

  it('asks for help before -- only', () => {
    expect(wantsHelp(['a', '-h'])).toBe(true);
    expect(wantsHelp(['a', '--', '--help'])).toBe(false);
  });
});

describe('help', () => {
  it('shows operands, options and an example, without colours where there is no terminal', async () => {
    const text = await usage(command, {});
    expect(text).toContain('offsite engine WHAT [OPTIONS]');
    expect(text).toContain('--sites');
    expect(text).toContain(engine.examples[0]?.[0]);
    expect(text).not.toContain('\u001b');
  });
});

describe('errors', () => {
  it('are a sentence and a remedy, without colours where NO_COLOR or no terminal is', () => {
    const written: string[] = [];
    const stream = {
      isTTY: false,
      write: (text: string) => written.push(text) > 0,
    } as unknown as NodeJS.WriteStream;
    expect(report(new UsageError('That is wrong.', 'Do this'), stream)).toBe(64);
    expect(written.join('')).toBe('offsite: That is wrong.\n  → Do this\n');
    expect(mayColour({})).toBe(false);
    vi.stubEnv('NO_COLOR', '1');
    expect(mayColour({ isTTY: true })).toBe(false);
    vi.unstubAllEnvs();
  });

  it('say a remedy once, though the message may hold it already', () => {
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
    const error = Object.assign(new Error('It failed; do this'), { remedy: 'do this' });
    expect(report(error, stream)).toBe(1);
    expect(written).toEqual(['offsite: It failed; do this\n']);
  });
});
