import { describe, expect, test } from 'vitest';
import { parseMachineFile, readMachineFile } from '../../../actors/cluster/machine-file.ts';
import { OptionError } from '../../../lib/index.ts';
import { rejection } from '../../support/sites.ts';

describe('a machine file', () => {
  test('has a machine a line, comments and blank lines', () => {
    const text = '# ours\n\nbamse\r\n  3*ada@blue:2222 10.0.0.7 # the fast one\nauto*[::1]\n';
    expect(parseMachineFile(text, 'machines')).toEqual(['bamse', '3*ada@blue:2222 10.0.0.7', 'auto*[::1]']);
  });

  test('is refused by the number of the line that is wrong', async () => {
    const error = await rejection(
      Promise.resolve().then(() => parseMachineFile('bamse\nbamse:0\n', 'machines')),
    );
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toMatch(/^Line 2 of the machine file machines .*port 0/);
    expect((error.cause as Error).message).toMatch(/port 0/);
  });

  test('that names nobody or is not there is refused', () => {
    expect(() => parseMachineFile('# nobody\n', 'machines')).toThrow(/names no machine/);
    expect(() => readMachineFile('/nowhere/machines')).toThrow(/can't be read: ENOENT/);
  });
});
