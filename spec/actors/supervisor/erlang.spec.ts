import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixture } from '../../support/sites.ts';
import { type ModelOptions, Otp } from './otp.ts';

const SCENARIOS = 150;
const installed = spawnSync('escript', ['-h']).error === undefined;

const ids = ['a', 'b', 'c', 'd'] as const;
const id = fc.constantFrom(...ids);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      fc.constant('stop' as const),
      fc.nat(9),
      fc.constantFrom('normal', 'shutdown', 'crashed', 'killed'),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant('fail' as const), id, fc.integer({ min: 1, max: 3 })) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('terminate', 'restart', 'delete', 'start'), id) },
);
const scenario = fc.record({
  flags: fc.record({
    strategy: fc.constantFrom('one_for_one', 'rest_for_one', 'one_for_all'),
    intensity: fc.nat(6),
    autoShutdown: fc.constantFrom('never', 'any_significant', 'all_significant'),
  }),
  specs: fc.array(fc.tuple(fc.constantFrom('permanent', 'transient', 'temporary'), fc.boolean()), {
    minLength: ids.length,
    maxLength: ids.length,
  }),
  many: fc.nat(ids.length),
  steps: fc.array(step, { minLength: 1, maxLength: 20 }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

const childOf = ({ flags, specs }: Scenario, name: string) => {
  const [restart, significant] = specs[ids.indexOf(name as 'a')]!;
  const may = restart !== 'permanent' && flags.autoShutdown !== 'never';
  return { id: name, restart: restart as 'permanent', significant: significant && may };
};

/** A scenario as an Erlang term. No time passes in it: a minute is more than it takes. */
const term = (all: Scenario): string => {
  const child = (name: string) => {
    const { restart, significant } = childOf(all, name);
    return `{${name},${restart},${significant}}`;
  };
  const { strategy, intensity, autoShutdown } = all.flags;
  const flags = `#{strategy=>${strategy},intensity=>${intensity},period=>60,auto_shutdown=>${autoShutdown}}`;
  const steps = all.steps.map(([what, ...rest]) =>
    what === 'start' ? `{start,${child(rest[0] as string)}}` : `{${[what, ...rest].join(',')}}`,
  );
  return `{${flags},[${ids.slice(0, all.many).map(child)}],[${steps}]}.`;
};

/** What the model does in the same scenario, in the same lines. */
const lines = (all: Scenario): string[] => {
  const options = { ...all.flags, period: 60_000 } as ModelOptions;
  const otp = new Otp(
    options,
    ids.slice(0, all.many).map((name) => childOf(all, name)),
  );
  const tell = (answer: string) => `${answer};${otp.news()};${otp.ended ? 'ended' : otp.states.join(',')}`;
  const told = [tell('none')];
  for (const [what, who, how] of all.steps) {
    let answer = 'none';
    if (what === 'stop') {
      const { running } = otp;
      if (running.length > 0) otp.exit(running[(who as number) % running.length]!, how as 'normal');
    } else if (what === 'fail') otp.failures.set(who as string, how as number);
    else if (what === 'terminate') otp.terminate(who as string);
    else if (what === 'restart') answer = otp.restart(who as string);
    else if (what === 'delete') answer = otp.delete(who as string);
    else answer = otp.start(childOf(all, who as string));
    told.push(tell(answer));
    if (otp.ended) return [...told, 'end'];
  }
  return told;
};

describe.skipIf(!installed)('the model that our supervisor is measured by', () => {
  const seed = Number(process.env.OFFSITE_TEST_SEED ?? Date.now() % 2 ** 31);

  test(`does what Erlang's own supervisor does, in ${SCENARIOS} random scenarios (seed ${seed})`, () => {
    const scenarios = fc.sample(scenario, { numRuns: SCENARIOS, seed });
    const folder = mkdtempSync(join(tmpdir(), 'offsite-spec-'));
    try {
      const file = join(folder, 'scenarios');
      writeFileSync(file, scenarios.map(term).join('\n'));
      const said = execFileSync('escript', [fileURLToPath(fixture('otp.escript')), file], {
        encoding: 'utf8',
      });
      const theirs = said.trimEnd().split('\n');
      for (const each of scenarios) {
        const ours = lines(each);
        expect(theirs.splice(0, ours.length), term(each)).toEqual(ours);
      }
      expect(theirs).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
