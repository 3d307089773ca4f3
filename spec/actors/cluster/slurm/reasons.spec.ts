import { describe, expect, test } from 'vitest';
import { slurmReason } from '../../../../actors/cluster/slurm/reasons.ts';

describe('why Slurm ended a worker', () => {
  test.each([
    [
      'slurmstepd: error: *** STEP 5.0 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO TIME LIMIT ***',
      'its time limit was reached',
    ],
    ['salloc: error: Job allocation 2 has exceeded time limit', 'its time limit was reached'],
    ['srun: error: Node failure on n1', 'its node n1 failed'],
    [
      'slurmstepd: error: *** STEP 5.0 ON n1 CANCELLED AT 2026-01-01T00:00:00 DUE TO NODE FAILURE ***',
      'its node failed',
    ],
    [
      'slurmstepd-n1: error: *** STEP 5.0 ON n1 CANCELLED AT 2026-01-01T00:00:00 ***',
      'its step 5.0 was cancelled at 2026-01-01T00:00:00',
    ],
    [
      'slurmstepd: error: Detected 1 oom_kill event in StepId=5.0.',
      'it used more memory than Slurm had given it',
    ],
    ['salloc: Job allocation 42 has been revoked.', 'its job 42 was cancelled'],
    ['srun: Force Terminated StepId=10.2', 'Slurm ended its step'],
    ['srun: error: n1: task 0: Exited with exit code 1', undefined],
  ])('is read from %j', (line, reason) => {
    expect(slurmReason(['something before', line])).toBe(reason);
  });
});
