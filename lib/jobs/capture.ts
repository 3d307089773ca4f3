import { runningJob } from './job-scope.ts';

/** The longest text that is told at once, in characters. */
const PIECE = 64 * 1024;

type Write = typeof process.stdout.write;

/**
 * Makes what is written to standard output and error within a job that job's, and nobody else's. What no job writes goes
 * where it went. Returns what sends on at once all that waits to leave this site.
 */
export const captureJobs = (): (() => void) => {
  const original: Write[] = [];
  for (const [name, descriptor] of [
    ['stdout', 1],
    ['stderr', 2],
  ] as const) {
    const stream = process[name];
    const write = stream.write.bind(stream) as Write;
    original.push(write);
    stream.write = ((chunk: unknown, ...rest: unknown[]) => {
      const job = runningJob();
      if (!job) return (write as (...words: unknown[]) => boolean)(chunk, ...rest);
      const [encoding] = rest;
      const text =
        typeof chunk === 'string'
          ? chunk
          : Buffer.from(chunk as Uint8Array).toString(
              typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8',
            );
      for (let at = 0; at < text.length; at += PIECE) job.print(descriptor, text.slice(at, at + PIECE));
      const done = rest.find((word) => typeof word === 'function') as (() => void) | undefined;
      if (done) queueMicrotask(done);
      return true;
    }) as Write;
  }
  const [stdout] = original;
  return () => void stdout!('');
};
