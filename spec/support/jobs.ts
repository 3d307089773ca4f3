import { afterEach } from 'vitest';
import { functionsOf, JobServer, type JobServerOptions } from '../../lib/index.ts';
import { fixture } from './sites.ts';

/** Names of the functions that specs of jobs run. */
export const work = functionsOf<typeof import('./fixtures/jobs.js')>(fixture('jobs.js'));

const opened = new Set<JobServer>();

/** Opens a job server that ends with its test; its sites are threads unless it says otherwise, which start sooner. */
export const openJobs = async (options: JobServerOptions = {}): Promise<JobServer> => {
  const jobs = await JobServer.open({
    ncpus: 2,
    fork: 'virtual',
    stdout: 'ignore',
    stderr: 'ignore',
    ...options,
  });
  opened.add(jobs);
  return jobs;
};

/** Ends what a test has opened; called inside a `describe`. */
export const closeJobs = (): void => {
  afterEach(async () => {
    const all = [...opened];
    opened.clear();
    await Promise.all(all.map((jobs) => jobs.terminate()));
  });
};
