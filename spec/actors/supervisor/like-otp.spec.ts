import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChildSpec } from '../../../lib/index.ts';
import { settle, Troupe } from './actors.ts';
import { type ModelOptions, Otp } from './otp.ts';

/** OTP's answers, by the codes of ours. */
const answers: Record<string, string> = {
  ERR_OFFSITE_NO_CHILD: 'not_found',
  ERR_OFFSITE_CHILD_RUNNING: 'running',
  ERR_OFFSITE_CHILD_PRESENT: 'already_present',
  ERR_OFFSITE_CHILD_START: 'failed',
};

const answer = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: { code: string }) => answers[error.code] ?? error.code,
  );

const ids = ['a', 'b', 'c', 'd', 'e'] as const;
const id = fc.constantFrom(...ids);

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('end'),
      nth: fc.nat(9),
      reason: fc.constantFrom('normal', 'crashed', 'killed'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('pass'), ms: fc.constantFrom(1, 499, 500, 501, 1_000, 1_001) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('fail'), id, times: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constantFrom('terminate', 'restart', 'delete', 'start'), id }),
  },
);

const spec = fc.record({
  restart: fc.constantFrom('permanent', 'transient', 'temporary'),
  significant: fc.boolean(),
});

const options = fc.record({
  strategy: fc.constantFrom('one_for_one', 'rest_for_one', 'one_for_all'),
  intensity: fc.nat(6),
  period: fc.constantFrom(500, 1_000),
  autoShutdown: fc.constantFrom('never', 'any_significant', 'all_significant'),
});

describe('a supervisor', () => {
  const seed = Number(process.env.OFFSITE_TEST_SEED ?? Date.now() % 2 ** 31);

  test(`does what OTP's does, whatever happens to its children and is asked of it (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(spec, { minLength: ids.length, maxLength: ids.length }),
        fc.nat(ids.length),
        fc.array(step, { minLength: 1, maxLength: 25 }),
        async (flags, specs, many, steps) => {
          const troupe = new Troupe();
          const settings = flags as ModelOptions;
          const specOf = (name: string) => {
            const { restart, significant } = specs[ids.indexOf(name as 'a')]!;
            return {
              id: name,
              restart: restart as 'permanent',
              significant: significant && restart !== 'permanent' && settings.autoShutdown !== 'never',
            };
          };
          const first = ids.slice(0, many);
          const supervisor = troupe.supervise(
            first.map((name): ChildSpec => troupe.spec(name, specOf(name))),
            settings,
          );
          await supervisor.ready;
          const otp = new Otp(settings, first.map(specOf));
          for (const each of steps) {
            const {
              what,
              id: name,
              nth,
              reason,
              times,
              ms,
            } = { id: '', nth: 0, reason: '', times: 0, ms: 0, ...each };
            let [ours, theirs] = ['', ''];
            if (what === 'end') {
              const running = otp.running;
              if (running.length === 0) continue;
              const who = running[nth % running.length]!;
              otp.exit(who, reason as 'normal');
              await troupe.end(who, reason as 'normal');
            } else if (what === 'pass') {
              otp.now += ms;
              troupe.clock.increment(ms);
            } else if (what === 'fail') {
              otp.failures.set(name, times);
              troupe.failures.set(name, times);
            } else if (what === 'terminate') {
              otp.terminate(name);
              await supervisor.terminateChild(name).catch(() => {});
            } else if (what === 'restart') {
              theirs = otp.restart(name);
              ours = await answer(supervisor.restartChild(name));
            } else if (what === 'delete') {
              theirs = otp.delete(name);
              ours = await answer(supervisor.deleteChild(name));
            } else {
              theirs = otp.start(specOf(name)).replace('already_started', 'running');
              ours = await answer(supervisor.startChild(troupe.spec(name, specOf(name))));
            }
            await settle();
            expect(ours).toBe(theirs);
            expect(troupe.news()).toBe(otp.news());
            if (otp.ended) {
              expect(await supervisor.ended).toMatchObject({ reason: otp.ended });
              expect(troupe.living).toEqual([]);
              return;
            }
            expect(supervisor.whichChildren().map((child) => `${child.id} ${child.state}`)).toEqual(
              otp.states,
            );
          }
          await supervisor.close();
          expect(troupe.living).toEqual([]);
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});
