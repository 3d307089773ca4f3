export type { AnyWorkerPool } from './pool/access.ts';
export { CachingPool } from './pool/caching-pool.ts';
export { DefaultWorkerPool } from './pool/default-pool.ts';
export {
  type DistributedOptions,
  distributed,
  type RangeOrElements,
  type Reducer,
} from './pool/distributed.ts';
export { NoWorkerError, PoolFullError } from './pool/errors.ts';
export type { ImapOptions, ParallelOptions, PmapOptions } from './pool/options.ts';
export { type Elements, imap, pmap } from './pool/pmap.ts';
export type { Progress } from './pool/progress.ts';
export { progressBar } from './pool/progress-line.ts';
export {
  type ExponentialBackoffOptions,
  exponentialBackoff,
  type RetryOptions,
  retry,
} from './pool/retry.ts';
export { type Range, splitRange } from './pool/split-range.ts';
export { WorkerPool, type WorkerPoolOptions } from './pool/worker-pool.ts';
