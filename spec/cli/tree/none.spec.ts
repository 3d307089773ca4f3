import { expect, test, vi } from 'vitest';
import { parse } from '../../../lib/cli/command.ts';
import { tree } from '../../../lib/cli/tree.ts';
import { rejection } from '../../support/sites.ts';

// Other programs of the one who runs this may have a socket.
vi.mock('../../../lib/ticket/folder.ts', async (original) => ({
  ...(await original<typeof import('../../../lib/ticket/folder.ts')>()),
  privateRoots: () => [],
}));

test('offsite tree says so when there is nothing to show', async () => {
  const error = await rejection(tree.run(parse(tree, [])));
  expect(error).toMatchObject({ code: 'ERR_OFFSITE_CONTROL' });
  expect(error.message).toMatch(/No program of this user can be asked/);
});
