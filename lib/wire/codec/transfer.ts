import { Buffer } from 'node:buffer';
import { moving } from '../shared.ts';

/**
 * Marks an ArrayBuffer, or the memory of a view, so that it moves when it is sent next, instead of being copied;
 * returns what it was given. Afterwards it is empty here, as after `postMessage` with a transfer list. Throws a
 * TypeError for what can't move: shared memory, and a Buffer that has its memory together with others.
 */
export const transfer = <T extends ArrayBuffer | ArrayBufferView>(bytes: T): T => {
  const memory: ArrayBufferLike = ArrayBuffer.isView(bytes) ? bytes.buffer : (bytes as ArrayBuffer);
  if (!(Object.prototype.toString.call(memory) === '[object ArrayBuffer]')) {
    throw new TypeError(
      'transfer() moves an ArrayBuffer or a view over one; shared memory is sent as it is.',
    );
  }
  if (Buffer.isBuffer(bytes) && bytes.byteLength !== memory.byteLength) {
    throw new TypeError(
      'This Buffer has its memory together with others, so it can not move; send it as it is, or make it with Buffer.allocUnsafeSlow().',
    );
  }
  moving.add(memory);
  return bytes;
};

/** Empties memory that moves away, and gives what was in it; throws what `structuredClone` throws if it can't be. */
export const detach = (memory: ArrayBuffer): ArrayBuffer => {
  moving.delete(memory);
  const { transfer: away } = memory as { transfer?: () => ArrayBuffer };
  return away ? away.call(memory) : structuredClone(memory, { transfer: [memory] });
};
