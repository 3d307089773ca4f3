import { expect } from 'vitest';
import { RemoteException } from '../../lib/index.ts';
import { rejection } from '../support/sites.ts';
import { julia, overSites } from './over-sites.ts';

overSites('errors', (bench) => {
  bench.chosen(
    '79. The stack of a remote error begins in the function that threw, and has who called it',
    async () => {
      const cluster = await bench.shared();
      const error = (await rejection(
        cluster.remotecallFetch(julia.failDeeply, 2, 'too deep'),
      )) as unknown as RemoteException;
      expect(error).toBeInstanceOf(RemoteException);
      expect(error.id).toBe(2);
      const frames = error.remoteStack!.split('\n').filter((line) => /^\s+at /.test(line));
      expect(frames[0]).toMatch(/deeper.*julia\.ts/);
      expect(frames[1]).toMatch(/failDeeply.*julia\.ts/);
      expect(error.stack).toContain('errors.spec.ts');
    },
  );

  bench.test('80. The printed text of a remote error has the message of the original', async () => {
    const cluster = await bench.shared();
    const error = await rejection(cluster.remotecallFetch(julia.failDeeply, 3, '-4 has no root'));
    expect(String(error)).toBe('RemoteException: On process 3: -4 has no root');
    expect(error.cause).toBeInstanceOf(RangeError);
  });

  bench.test('83. An error within an error keeps its message', async () => {
    const cluster = await bench.shared();
    const error = await rejection(cluster.remotecallFetch(julia.failLater, 2, 'the first of all'));
    const task = error.cause as Error;
    expect(task.message).toBe('A task failed.');
    expect(task.cause).toBeInstanceOf(RangeError);
    expect((task.cause as Error).message).toBe('the first of all');
  });

  bench.chosen('85. What can’t be read fails that call alone, and the next one works', async () => {
    const cluster = await bench.shared();
    const error = await rejection(cluster.remotecallFetch(julia.secret, 3));
    expect(error.code).toBe('ERR_OFFSITE_UNDECODABLE');
    expect(error.message).toContain('spec.julia.Secret');
    const future = cluster.remotecall(julia.secret, 3);
    expect((await rejection(future.fetch())).message).toContain('spec.julia.Secret');
    expect(await cluster.remotecallFetch(julia.square, 3, 7)).toBe(49);
  });

  bench.chosen('a result that can’t be sent fails that call alone; in Julia it ends the worker', async () => {
    const cluster = await bench.shared();
    const error = await rejection(cluster.remotecallFetch(julia.symbol, 3));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_REMOTE', id: 3 });
    expect((error.cause as { code?: string }).code).toBe('ERR_OFFSITE_UNSERIALIZABLE');
    expect(await cluster.remotecallFetch(julia.square, 3, 7)).toBe(49);
  });

  bench.test(
    '86. An error of a class that is unknown here keeps its name, its code and its stack',
    async () => {
      const cluster = await bench.shared();
      const { cause } = await rejection(cluster.remotecallFetch(julia.failStrangely, 2));
      expect(cause).toBeInstanceOf(Error);
      expect(cause).toMatchObject({ name: 'UnknownError', code: 'E_UNKNOWN' });
      expect((cause as Error).stack).toContain('failStrangely');
    },
  );

  bench.test('88. An error of a class that is unknown here shows the text of its own', async () => {
    const cluster = await bench.shared();
    const error = await rejection(cluster.remotecallFetch(julia.failStrangely, 2));
    expect(error.message).toBe('On process 2: a text of its own');
    expect(String(error.cause)).toBe('UnknownError: a text of its own');
    const thrown = await rejection(cluster.remotecallFetch(julia.throwText, 2, 'not even an error'));
    expect(thrown).toMatchObject({ message: 'On process 2: not even an error', cause: 'not even an error' });
  });

  bench.test('89. An error that is returned, and not thrown, is a value as any other', async () => {
    const cluster = await bench.shared();
    const value = await cluster.remotecallFetch(julia.anError, 2);
    expect(value).toBeInstanceOf(TypeError);
    expect((value as unknown as Error).message).toBe('a value');
  });

  bench.test('a worker that dies in a call wakes who waits for it, in other workers too', async () => {
    const cluster = await bench.fresh(2);
    let fromThere!: Promise<Error>;
    await new Promise<void>((heard) => {
      fromThere = rejection(cluster.remotecallFetch(julia.callFrom, 2, julia.wait, 3, heard));
    });
    const error = await rejection(cluster.remotecallFetch(julia.die, 3));
    expect(error).toMatchObject({
      code: 'ERR_OFFSITE_PROCESS_EXITED',
      id: 3,
      reason: 'crashed',
      mayHaveRun: true,
    });
    expect((await fromThere).cause).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 3 });
  });
});
