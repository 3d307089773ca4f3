import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

interface Times {
  readonly busy: number;
  readonly all: number;
}

const times = (): Times => {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
};

/** How busy the processors of this host were between two looks. */
export class HostLoad {
  #last = times();
  #load = 0;

  /** From 0 to 1, since the last look that was long enough ago to tell anything. */
  look(): number {
    const now = times();
    const all = now.all - this.#last.all;
    // The operating system counts in hundredths of a second.
    if (all < 100 * availableParallelism()) return this.#load;
    this.#load = Math.min(1, Math.max(0, (now.busy - this.#last.busy) / all));
    this.#last = now;
    return this.#load;
  }
}

/** What Node.js tells of memory in later versions than the first that are supported. */
interface Memory {
  availableMemory?(): number;
  constrainedMemory?(): number | undefined;
}

/** The memory of this host, or of the container that this is in, in bytes. */
export const hostMemory = (): { total: number; free: number } => {
  const { availableMemory, constrainedMemory } = process as Memory;
  const most = constrainedMemory?.() || totalmem();
  return { total: Math.min(most, totalmem()), free: availableMemory?.() ?? freemem() };
};
