/** What Slurm's commands say when a step ends that nobody has asked to. */
const SIGNS: readonly [RegExp, (found: RegExpExecArray) => string][] = [
  [/DUE TO TIME LIMIT|exceeded time limit/, () => 'its time limit was reached'],
  [/DUE TO PREEMPTION/, () => 'Slurm gave its node to another job'],
  [
    /DUE TO NODE FAILURE|[Nn]ode failure on (\S+)/,
    ([, node]) => `its node ${node ?? ''}`.trim().concat(' failed'),
  ],
  [/oom.kill|Out Of Memory|memory limit/i, () => 'it used more memory than Slurm had given it'],
  [/STEP (\S+) ON \S+ CANCELLED AT (\S+)/, ([, step, at]) => `its step ${step} was cancelled at ${at}`],
  [
    /JOB (\d+) (?:ON \S+ )?CANCELLED|Job allocation (\d+) has been revoked/,
    ([, one, other]) => `its job ${one ?? other} was cancelled`,
  ],
  [/Force Terminated (?:job|StepId=\S+)|Job step aborted/, () => 'Slurm ended its step'],
];

/** Why Slurm ended a worker, as the end of a sentence, read from what its `srun` and `salloc` said; if it was Slurm. */
export const slurmReason = (stderr: readonly string[]): string | undefined => {
  const said = stderr.join('\n');
  for (const [sign, tell] of SIGNS) {
    const found = sign.exec(said);
    if (found) return tell(found);
  }
  return undefined;
};
