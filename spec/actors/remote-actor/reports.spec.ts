import { expect, test } from 'vitest';
import type { Snapshot } from 'xstate';
import type { Report } from '../../../actors/remote-actor/protocol.ts';
import { Reports } from '../../../actors/remote-actor/reports.ts';

const at = (context: unknown) =>
  ({ status: 'active', output: undefined, error: undefined, context }) as unknown as Snapshot<unknown>;

/** An observer that notes what comes, and answers when it is told to. */
const observer = () => {
  const seen: Report[] = [];
  const answers: { resolve(): void; reject(cause: unknown): void }[] = [];
  const receive = (_number: number, reports: readonly Report[]) => {
    seen.push(...reports);
    return new Promise<void>((resolve, reject) => answers.push({ resolve, reject }));
  };
  return { seen, answers, receive };
};

const turn = () => new Promise((resolve) => setImmediate(resolve));
const contexts = (reports: readonly Report[]) =>
  reports.map(([kind, what]) =>
    kind === 'snapshot' ? (what as { context: unknown }).context : (what as { type: string }).type,
  );
const of = { id: 'a', site: 's', bound: 2, snapshots: 'all' } as const;

test('an observer that is behind gets the newest snapshot, and every event', async () => {
  const watching = observer();
  const failures: unknown[] = [];
  const reports = new Reports(of, watching, (error) => failures.push(error));
  reports.snapshot(at(1));
  reports.snapshot(at(2));
  await turn();
  expect(contexts(watching.seen)).toEqual([1, 2]);
  reports.snapshot(at(3));
  reports.emitted({ type: 'one' });
  reports.snapshot(at(4));
  reports.inspected({ type: '@xstate.event' });
  await turn();
  expect(watching.seen).toHaveLength(2);
  const drained = reports.drained();
  watching.answers[0]!.resolve();
  await turn();
  expect(contexts(watching.seen)).toEqual([1, 2, 'one', 4]);
  watching.answers[1]!.resolve();
  await drained;
  expect(failures).toEqual([]);
});

test('an actor whose events nobody takes ends with an error', async () => {
  const watching = observer();
  const failures: unknown[] = [];
  const reports = new Reports(of, watching, (error) => failures.push(error));
  for (let i = 0; i < 2; i++) reports.emitted({ type: 'left' });
  await turn();
  for (let i = 0; i < 2; i++) reports.emitted({ type: 'waits' });
  expect(failures).toEqual([]);
  reports.emitted({ type: 'too many' });
  expect(failures).toMatchObject([{ code: 'ERR_OFFSITE_MAILBOX', bound: 2 }]);
});

test('what an observer can not read is told without the part that it can not read', async () => {
  const watching = observer();
  const reports = new Reports({ ...of, bound: 10 }, watching, () => {});
  reports.snapshot(at(1));
  reports.snapshot(at(new (class Unknown {})()));
  reports.emitted({ type: 'odd', it: new (class Unknown {})() } as { type: string });
  await turn();
  expect(watching.answers).toHaveLength(3);
  const cause = Object.assign(new Error('not registered'), { code: 'ERR_OFFSITE_UNDECODABLE' });
  watching.answers[1]!.reject(cause);
  watching.answers[2]!.reject(cause);
  await turn();
  expect(watching.seen.slice(3)).toEqual([
    ['snapshot', { status: 'active', output: undefined, error: undefined, refused: cause }],
    ['refused', 'odd', cause],
  ]);
});
