import { connect } from 'node:net';
import type { TreeNode } from '../../lib/engine/tree.ts';
import { checkPrivateRoot } from '../../lib/ticket/folder.ts';
import { ControlError } from './errors.ts';
import { firstLine } from './lines.ts';
import { type Controlled, controlled } from './sockets.ts';

/** The longest answer, in bytes: a tree of some hundred thousand sites. */
const LONGEST_ANSWER = 64 * 2 ** 20;
/** How long the program itself may take beside what its sites may, in milliseconds. */
const ANSWER_WITHIN = 5_000;

/** Asks one socket; undefined if nobody listens there. */
const ask = async ({ pid, path }: Controlled, timeout: number): Promise<TreeNode | undefined> => {
  const patience = timeout + ANSWER_WITHIN;
  const socket = connect(path);
  const timer = setTimeout(
    () => socket.destroy(new Error(`It did not answer within ${patience} ms.`)),
    patience,
  );
  try {
    socket.write(`${JSON.stringify({ tree: { timeout } })}\n`);
    const text = await firstLine(socket, LONGEST_ANSWER);
    const said = JSON.parse(text) as { tree?: TreeNode; error?: string };
    if (!said.tree) throw new Error(said.error ?? 'It answered something else.');
    return said.tree;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
    throw new ControlError(`The process ${pid} could not be asked: ${message}`, { cause });
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
};

/**
 * The tree of another program of this user, by its process id; each of its sites is asked for `timeout` ms. Rejects
 * with ControlError if it offers no control socket or does not answer, and with FolderError if the folder where that
 * would lie can't be trusted.
 */
export const treeOf = async (
  pid: number,
  { timeout = 1_000 }: { timeout?: number } = {},
): Promise<TreeNode> => {
  for (const program of controlled()) {
    const tree = program.pid === pid ? await ask(program, timeout) : undefined;
    if (tree) return tree;
  }
  checkPrivateRoot();
  throw new ControlError(
    `The process ${pid} offers no control socket. A program does so when it makes its first Supervisor, or calls expose().`,
  );
};
