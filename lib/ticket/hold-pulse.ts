import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { TimeoutError } from '../wire/errors.ts';
import { refusedTicket } from './errors.ts';
import { IN_FOLDER, isPrivateFolder } from './folder.ts';
import { HOLD_PULSE } from './site-folder.ts';

/**
 * Tells a site's pulse that a client is there, for as long as the socket is open, and gets its beats while the site is
 * busy. Resolves at the first one, which comes at once: from then on no lease ends. Rejects with TicketError if the
 * site is gone, or TimeoutError.
 */
export const holdPulse = (
  folder: string,
  name: string,
  timeout: number,
  onBeat: (beat: Buffer) => void,
): Promise<Socket> =>
  new Promise((resolve, reject) => {
    if (!isPrivateFolder(folder)) throw refusedTicket('gone', name);
    const socket = connect({ path: join(folder, IN_FOLDER.pulse) });
    const timer = setTimeout(() => {
      reject(new TimeoutError(`The pulse of ${name} was not felt within ${timeout} ms.`, timeout));
      socket.destroy();
    }, timeout);
    socket.on('error', (cause) => reject(refusedTicket('gone', name, cause)));
    socket.on('close', () => {
      clearTimeout(timer);
      reject(refusedTicket('gone', name));
    });
    socket.once('connect', () => socket.write(Buffer.of(HOLD_PULSE)));
    socket.on('data', (beat: Buffer) => {
      clearTimeout(timer);
      onBeat(beat);
      resolve(socket);
    });
  });
