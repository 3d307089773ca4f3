import { describe, expect, test } from 'vitest';
import {
  checkSlurmOptions,
  outsideJob,
  sallocWords,
  srunWords,
} from '../../../../actors/cluster/slurm/options.ts';
import { OptionError, SlurmManager } from '../../../../lib/index.ts';

describe('the options of a SlurmManager', () => {
  test('become words of salloc and srun', () => {
    const options = checkSlurmOptions({
      ntasks: 4,
      cpusPerTask: 2,
      time: '1:00:00',
      partition: 'main',
      account: 'maths',
      mem: '4G',
      sallocOptions: ['--exclusive'],
      srunOptions: ['--gres=gpu:1'],
    });
    const salloc = sallocWords(options);
    for (const word of ['--ntasks=4', '--cpus-per-task=2', '--time=1:00:00', '--partition=main', '--mem=4G'])
      expect(salloc).toContain(word);
    expect(salloc).toContain('--account=maths');
    expect(salloc.at(-1)).toBe('--exclusive');
    const worker = { job: '7', node: 'n1', step: 'offsite-x-0' };
    const srun = srunWords(options, worker, true);
    for (const word of ['--jobid=7', '--nodelist=n1', '--cpus-per-task=2', '--cpu-bind=none', '--gres=gpu:1'])
      expect(srun).toContain(word);
    expect(srunWords(options, worker)).not.toContain('--cpu-bind=none');
  });

  test('take nothing over from the job in which the program runs, but keep where Slurm is', () => {
    expect(
      outsideJob(['srun'], { SLURM_CONF: '/c', SLURM_NTASKS: '2', SLURM_MEM_PER_CPU: '1', A: '1' }),
    ).toEqual(['env', '-u', 'SLURM_NTASKS', '-u', 'SLURM_MEM_PER_CPU', 'srun']);
    expect(outsideJob(['srun'], { SLURM_CONF: '/c' })).toEqual(['srun']);
  });

  test('are refused if they make no sense', () => {
    expect(() => new SlurmManager({ ntasks: 0 })).toThrow(OptionError);
    expect(() => new SlurmManager({ partition: '--uid=0' })).toThrow(/must not begin with a dash/);
    expect(() => new SlurmManager({ jobId: 7, mem: '4G' })).toThrow(/job 7 has its own/);
    expect(() => new SlurmManager({ nodes: 2 } as never)).toThrow(/no option "nodes" for a SlurmManager/);
  });
});
