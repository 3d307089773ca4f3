import process from 'node:process';
import { type LogWish, readLog } from '../../ticket/clerk.ts';
import type { SiteState } from '../../ticket/site-folder.ts';
import type { Parsed } from '../command.ts';
import { ask, siteHere, untilInterrupted, wayOf } from './where.ts';

/** What is told of a site before its log; goes to where the log does not. */
export type Tell = (site: SiteState) => void;

const written = (chunk: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    // An error, for instance of a closed pipe, is told by the stream too.
    process.stdout.write(chunk, () => resolve());
  });

/** Copies the log of a site to the standard output, until it ends or the user does not want it any more. */
export const showLog = async (
  parsed: Parsed,
  which: string,
  wish: Pick<LogWish, 'lines' | 'follow'>,
  tell: Tell = () => {},
): Promise<number> => {
  const { signal, code, restore } = untilInterrupted();
  const way = wayOf(parsed);
  try {
    if (!way) {
      const site = await siteHere(which, true);
      tell(site);
      for await (const chunk of readLog(site.folder, { ...wish, signal })) {
        if (signal.aborted) break;
        await written(chunk);
      }
      return code();
    }
    const { done, way: forked } = await ask<SiteState>({ ...way, signal }, { op: 'log', which, ...wish });
    tell(done);
    forked.link.ref();
    const { input } = forked.errand!;
    signal.addEventListener('abort', () => input.destroy(), { once: true });
    if (signal.aborted) input.destroy();
    try {
      for await (const chunk of input) await written(chunk as Buffer);
    } catch (cause) {
      if (!signal.aborted) throw cause;
    }
    await forked.leave!();
    return code();
  } catch (cause) {
    // Who pressed Ctrl-C needs no error that says so.
    if (signal.aborted && code() !== 0) return code();
    throw cause;
  } finally {
    restore();
  }
};
