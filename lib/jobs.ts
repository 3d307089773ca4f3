/// <reference types="node" preserve="true" />
/**
 * What functions need that run as jobs: `import { currentJob } from 'offsite/jobs'` loads nothing that starts sites, and
 * little travels. `offsite` has the same names.
 */
export { type CurrentJob, currentJob } from './jobs/current-job.ts';
export { FileTooLargeError, FileTransferError, NoJobError } from './jobs/errors.ts';
export type { FileText } from './jobs/protocol.ts';
