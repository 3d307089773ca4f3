import { describe, expect, test } from 'vitest';
import { parseJob, place } from '../../../../actors/cluster/slurm/placement.ts';

const JOB =
  'JobId=3 JobName=x JobState=RUNNING Reason=None NodeList=a[1-2],b NumNodes=3 NumCPUs=11 NumTasks=10 CPUs/Task=2 Socks/Node=*   Nodes=a[1-2] CPU_IDs=0-3,6 Mem=0 GRES=   Nodes=b CPU_IDs=7 Mem=0 GRES= MinCPUsNode=1';

describe('the placement of workers', () => {
  test('is read from what scontrol tells of a job', () => {
    expect(parseJob(JOB)).toEqual({
      state: 'RUNNING',
      reason: undefined,
      tasks: 10,
      cpusPerTask: 2,
      shares: [
        { nodes: 'a[1-2]', cpus: 5 },
        { nodes: 'b', cpus: 1 },
      ],
    });
    expect(parseJob('JobState=PENDING Reason=Resources CPUs/Task=N/A')).toMatchObject({
      state: 'PENDING',
      reason: 'Resources',
      cpusPerTask: 1,
      shares: [],
    });
  });

  test('fills one node after the other, and begins again when all are full', () => {
    const shares = [
      { node: 'a', cpus: 5 },
      { node: 'b', cpus: 1 },
    ];
    expect(place(4, shares, 2)).toEqual(['a', 'a', 'b', 'a']);
    expect(place(3, shares, 1)).toEqual(['a', 'a', 'a']);
  });
});
