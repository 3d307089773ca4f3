import { describe, expect, test } from 'vitest';
import { byReference } from '../../lib/wire/reference/reference.ts';
import { pair, rejection, settled } from './pair.ts';

const service = () => ({
  never: () => new Promise(() => {}),
  add: (a: number, b: number) => a + b,
  object: () => byReference({ add: (a: number, b: number) => a + b }),
});

/** Ends the near side and gives the errors that it makes, each of which remembers whether the call had been sent. */
const ending = (world: ReturnType<typeof pair>) => {
  const made: { mayHaveRun: boolean }[] = [];
  world.near.session.end((mayHaveRun) => {
    const error = Object.assign(new Error('ended'), { mayHaveRun });
    made.push(error);
    return error;
  });
  return made;
};

describe('the end of a session', () => {
  test('rejects every call that waits, each once, and every ping', async () => {
    const world = pair(service());
    let rejections = 0;
    world.far.link.hold();
    const waiting = [world.remote.never(), world.remote.never(), world.near.session.ping()].map((promise) =>
      promise.then(undefined, (error: unknown) => {
        rejections++;
        return error;
      }),
    );
    await settled();
    ending(world);
    ending(world);
    expect(world.near.session.inFlight).toBe(0);
    const [first, second] = await Promise.all(waiting);
    expect([first, second]).toMatchObject([{ mayHaveRun: true }, { mayHaveRun: true }]);
    expect(rejections).toBe(waiting.length);
  });

  test('says of a call that was not sent that it has not run', async () => {
    const world = pair(service());
    const [waiting, other] = [rejection(world.remote.add(1, 2)), rejection(world.remote.object().add(1, 2))];
    ending(world);
    expect(await waiting).toMatchObject({ mayHaveRun: false });
    expect(await other).toMatchObject({ mayHaveRun: false });
    expect(world.near.link.sent).toEqual([]);
  });

  test('rejects a call that was made but not yet awaited, when it is', async () => {
    const world = pair(service());
    const [sent, object] = [world.remote.add(1, 2), world.remote.object()];
    await settled();
    const unsent = world.remote.add(1, 2);
    ending(world);
    expect(await rejection(sent)).toMatchObject({ message: 'ended', mayHaveRun: true });
    expect(await rejection(unsent)).toMatchObject({ message: 'ended', mayHaveRun: false });
    expect(await rejection(object.add(1, 2))).toMatchObject({ message: 'ended' });
  });

  test('rejects every later call, get and ping at once', async () => {
    const world = pair(service());
    const object = await world.remote.object();
    ending(world);
    const later = [
      world.remote.add(1, 2),
      world.remote.constant,
      new world.remote.Thing(),
      object.add(1, 2),
      world.near.session.ping(),
    ];
    for (const error of await Promise.all(later.map(rejection))) {
      expect(error).toMatchObject({ message: 'ended', mayHaveRun: false });
    }
  });

  test('is the first one, whatever is said later', async () => {
    const world = pair(service());
    ending(world);
    world.near.session.end(() => new Error('a second end'));
    expect(await rejection(world.remote.add(1, 2))).toMatchObject({ message: 'ended' });
  });

  test('leaves no unhandled rejection for calls that nobody awaits', async () => {
    const unhandled: unknown[] = [];
    const note = (cause: unknown) => void unhandled.push(cause);
    process.on('unhandledRejection', note);
    try {
      const world = pair(service());
      world.remote.never();
      await settled();
      world.remote.never();
      ending(world);
      world.remote.never();
      await settled();
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('drops answers that come later', async () => {
    const world = pair(service());
    world.far.link.hold();
    const waiting = rejection(world.remote.add(1, 2));
    await settled();
    ending(world);
    world.far.link.letGo();
    expect(await waiting).toMatchObject({ message: 'ended', mayHaveRun: true });
    expect(world.near.events.disconnected).toEqual([]);
  });

  test('still passes on what the peer prints while it ends', async () => {
    const world = pair(service());
    ending(world);
    world.far.session.output(1, 'last words');
    await settled();
    expect(world.near.events.output).toEqual([[1, 'last words']]);
  });

  test('answers no call of the peer any more, and forgets all references', async () => {
    const held: unknown[] = [];
    const world = pair({ ...service(), hold: (value: unknown) => void held.push(value) }, { add: () => 1 });
    const object = await world.remote.object();
    await world.remote.hold(() => 1);
    expect(world.near.session.references).toEqual({ exports: 1, imports: 1, streams: 0 });
    ending(world);
    expect([typeof object, held.length]).toEqual(['function', 1]);
    const remote = world.far.session.main as { add(): PromiseLike<unknown> };
    const answer = remote.add().then(() => 'answered');
    await settled();
    expect(await Promise.race([answer, settled().then(() => 'nothing')])).toBe('nothing');
    expect(world.near.session.references).toEqual({ exports: 0, imports: 0, streams: 0 });
  });

  test('sends nothing for calls of the peer that end after it', async () => {
    let finish = () => {};
    const { far, remote } = pair({
      slow: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    });
    remote.slow().then(() => {});
    await settled();
    far.session.end(() => new Error('ended'));
    finish();
    await settled();
    expect(far.link.sent).toEqual([]);
  });

  test('destroys a link that comes too late', async () => {
    const world = pair(service());
    const { memoryLinks, endOf } = await import('./pair.ts');
    const [link] = memoryLinks();
    const { session } = endOf('far', undefined, link, false);
    session.end(() => new Error('ended'));
    session.attach(link);
    expect(link.destroyed).toBe(true);
    expect(world.near.link.destroyed).toBe(false);
  });

  test('lets the process end', async () => {
    const world = pair(service());
    world.near.link.unref();
    const waiting = rejection(world.remote.never());
    await settled();
    expect(world.near.link.referenced).toBe(true);
    ending(world);
    await waiting;
    expect(world.near.link.referenced).toBe(false);
  });
});
