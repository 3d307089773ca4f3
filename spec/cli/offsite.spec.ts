import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { offsite } from './cli.ts';

const PROOF = 'Remote: Test succeeded...\n';

describe('offsite', () => {
  it.each([[['--test']], [['engine', '--test']]])('proves with %j that it can be started', async (words) => {
    expect(await offsite(words)).toMatchObject({ code: 0, stdout: PROOF, stderr: '' });
  });

  it('tells its version', async () => {
    expect(await offsite(['--version'])).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
  });

  it.each([[[]], [['engine']], [['test']], [['map']]])('explains %j with an example', async (words) => {
    const { code, stdout, stderr } = await offsite([...words, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`EXAMPLES\n\n {2}.*offsite ${words[0] ?? ''}`));
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    [['fork'], 'no command "fork"'],
    [[], 'No command was given'],
    [['map'], 'no function to call'],
    [['map', './absent.js#f', 'x'], 'no module ./absent.js'],
    [['map', 'node:path#basename', '--sites', 'many', 'x'], '--sites'],
    [['map', 'node:path#basename', '--ordred', 'x'], '--ordred'],
    [['map', 'node:path#basename', '-', 'x'], 'standard input'],
    [['test', 'bamse'], 'no operand'],
  ])('refuses %j in a sentence with a remedy', async (words, message) => {
    const { code, stdout, stderr } = await offsite(words);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^offsite: .*\n {2}→ .*\n$/);
  });
});

describe('offsite engine', () => {
  it('says that a manager starts it when it has no link', async () => {
    const { code, stderr } = await offsite(['engine']);
    expect(code).toBe(64);
    expect(stderr).toContain('started by a manager');
    expect(stderr).toContain('offsite engine --test');
  });
});

describe('offsite test', () => {
  it.each(['virtual', 'sh'])('goes the whole way to a site of the kind %s', async (fork) => {
    const { code, stdout, stderr } = await offsite(['test', '--fork', fork]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'fork',
      'link',
      'call',
      'ping',
      'close',
      'Remote:',
      '',
    ]);
    expect(stdout).toContain(`a ${fork} site on localhost`);
    expect(stdout).toContain(hostname());
    expect(stdout.endsWith(PROOF)).toBe(true);
  });

  it('prints its steps as JSON', async () => {
    const { code, stdout } = await offsite(['test', '--fork', 'sh', '--json']);
    const report = JSON.parse(stdout) as { ok: boolean; steps: { step: string; ms: number }[] };
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
    expect(report.steps.map(({ step }) => step)).toEqual(['fork', 'link', 'call', 'ping', 'close']);
    for (const { ms } of report.steps) expect(ms).toBeGreaterThan(0);
  });

  it('names the step that failed, and what to do', async () => {
    const { code, stdout, stderr } = await offsite(['test', '--host', 'bamse', '--fork', 'no-such-command']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fork +failed +at command\n$/);
    expect(stderr).toContain('no-such-command');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('uses the installed engine if OFFSITE_ENGINE names it', async () => {
    const engine = `${process.execPath} dist/lib/cli/main.js engine`;
    const { code, stdout, stderr } = await offsite(['test', '--fork', 'sh'], '', { OFFSITE_ENGINE: engine });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.endsWith(PROOF)).toBe(true);
  });
});
