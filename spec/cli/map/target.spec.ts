import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../lib/cli/map/target.ts';
import { UsageError } from '../../../lib/cli/report.ts';

const cwd = fileURLToPath(new URL('.', import.meta.url));
const here = pathToFileURL(`${cwd}target.spec.ts`).href;

describe('MODULE#FUNCTION', () => {
  it.each([
    ['./target.spec.ts#go', here, ['go']],
    ['target.spec.ts', here, ['default']],
    ['node:path#posix.basename', 'node:path', ['posix', 'basename']],
    ['lodash#', 'lodash', ['default']],
    ['@scope/name/part#x', '@scope/name/part', ['x']],
    ['https://example.org/a#b.js#c', 'https://example.org/a#b.js', ['c']],
  ])('reads %s', (text, module, path) => {
    expect(parseTarget(text, { cwd })).toEqual({ module, path });
  });

  it.each(['./absent.js#f', 'absent.ts#f', '#f', 'a#b..c'])('refuses %s', (text) => {
    expect(() => parseTarget(text, { cwd })).toThrow(UsageError);
  });

  it('lets a file be absent here if it is wanted elsewhere', () => {
    expect(parseTarget('/srv/job.js#f', { elsewhere: true }).module).toBe('file:///srv/job.js');
  });
});
