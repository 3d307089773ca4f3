import type { Outbox } from '../frame/outbox.ts';
import type { Graph } from './graph.ts';
import { refusal } from './refuse.ts';
import { textOf } from './remote-error.ts';
import { detach } from './transfer.ts';

/** Appends a graph and the attachments that lie in the frame: the text's size, the text, their bytes. */
export const writeGraph = (outbox: Outbox, graph: Required<Graph>, inFrame: readonly Uint8Array[]): void => {
  const [, nodes, places, leaves] = graph;
  const used = leaves ? 4 : places.length > 0 ? 3 : nodes.length > 0 ? 2 : 1;
  const text = JSON.stringify(graph.slice(0, used));
  let size = 8 + text.length * 3;
  for (const bytes of inFrame) size += bytes.byteLength;
  outbox.reserve(size);
  const at = outbox.length;
  outbox.double(0);
  outbox.bytes.writeDoubleLE(outbox.text(text), at);
  for (const bytes of inFrame) outbox.raw(bytes);
};

/** Empties memory that was given away and has been copied; `path` is the value's. Throws UnserializableError. */
export const detachAll = (memories: readonly ArrayBuffer[], path: string): void => {
  for (const memory of memories) {
    try {
      detach(memory);
    } catch (cause) {
      throw refusal(`memory that can't move (${textOf(cause)})`, path, 'send it without transfer()');
    }
  }
};
