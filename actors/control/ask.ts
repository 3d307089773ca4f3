import { connect, type Socket } from 'node:net';
import type { TreeNode } from '../../lib/engine/tree.ts';
import { ControlError } from './errors.ts';
import { checkFolder, controlFolder, socketPath } from './folder.ts';
import { firstLine } from './lines.ts';

/** The longest answer, in bytes: a tree of some hundred thousand sites. */
const LONGEST_ANSWER = 64 * 2 ** 20;
/** How long the program itself may take beside what its sites may, in milliseconds. */
const ANSWER_WITHIN = 5_000;

/**
 * The tree of another program of this user, by its process id; each of its sites is asked for `timeout` ms. Rejects
 * with ControlError if it offers no control socket or does not answer.
 */
export const treeOf = async (
  pid: number,
  { timeout = 1_000 }: { timeout?: number } = {},
): Promise<TreeNode> => {
  const path = socketPath(pid);
  const patience = timeout + ANSWER_WITHIN;
  let socket: Socket | undefined;
  const timer = setTimeout(
    () => socket?.destroy(new Error(`It did not answer within ${patience} ms.`)),
    patience,
  );
  try {
    // Somebody else may have made a folder of this name, to stand in for the program.
    checkFolder(controlFolder());
    socket = connect(path);
    socket.write(`${JSON.stringify({ tree: { timeout } })}\n`);
    const text = await firstLine(socket, LONGEST_ANSWER);
    const said = JSON.parse(text) as { tree?: TreeNode; error?: string };
    if (!said.tree) throw new Error(said.error ?? 'It answered something else.');
    return said.tree;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (cause instanceof ControlError) throw cause;
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED') {
      throw new ControlError(`The process ${pid} could not be asked: ${message}`, { cause });
    }
    throw new ControlError(
      `The process ${pid} offers no control socket (${path}). A program does so when it makes its first Supervisor, or calls expose().`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
    socket?.destroy();
  }
};
