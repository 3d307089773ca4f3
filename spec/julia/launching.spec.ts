import { afterEach, describe, expect, test, vi } from 'vitest';
import { Cluster, type ClusterManager, type SiteExit, type WorkerConfig } from '../../lib/index.ts';
import { rejection } from '../support/sites.ts';
import { julia } from './over-sites.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Workers whose launch command is this line of a shell; the engine's own words are its arguments. */
const by = (...lines: string[]): ClusterManager => ({
  launch: () => lines.map((line) => ({ site: { fork: ['sh', '-c', line, 'sh'] } })),
});

/** What is written to this process's own stdout and stderr while something runs. */
const leaked = async (run: () => Promise<unknown>): Promise<string> => {
  let text = '';
  for (const stream of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      text += String(chunk);
      return true;
    });
  }
  await run();
  return text;
};

describe('launch failures', () => {
  test('19. A launch command that exits at once is the first error, and says with what', async () => {
    await using cluster = new Cluster();
    const error = await rejection(cluster.addProcs(by('exit 3')));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_ADD_PROCS', ids: [] });
    const [first] = error.errors as Error[];
    expect(first).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'exit', exitCode: 3 });
    expect(first!.message).toContain('before the engine spoke');
    expect(cluster.procs).toEqual([1]);
  });

  test('20. A launch command that prints 1001 other lines is told by them, at once', async () => {
    await using cluster = new Cluster();
    const error = await rejection(
      cluster.addProcs(by('for i in $(seq 1001); do echo unrelated $i; done; exec "$@"')),
    );
    const [first] = error.errors as Error[];
    expect(first).toMatchObject({ code: 'ERR_OFFSITE_FORK', step: 'noise' });
    expect(first!.message).toContain('something else was printed before the engine spoke');
    expect(first!.message).toContain('unrelated 1\\n');
  });

  test('23. What a failed launch prints is in its error, and on nobody’s stdout', async () => {
    await using cluster = new Cluster({ output: () => undefined });
    let error!: Error & Record<string, unknown>;
    const text = await leaked(async () => {
      error = await rejection(cluster.addProcs(by('echo out of the blue; exit 3', 'echo oh no >&2; exit 4')));
    });
    expect(text).toBe('');
    const said = (error.errors as { message: string; stderr: string[] }[])
      .map(({ message, stderr }) => `${message} ${stderr.join(' ')}`)
      .join('\n');
    expect(said).toContain('out of the blue');
    expect(said).toContain('oh no');
  });

  test('23. Those that could be launched are workers, whatever became of the others', async () => {
    await using cluster = new Cluster({ output: () => undefined });
    const error = await rejection(cluster.addProcs(by('exit 3', 'exec "$@"', 'exit 4')));
    expect(error.errors).toHaveLength(2);
    expect(error.ids).toEqual(cluster.workers);
    const [id] = cluster.workers;
    expect(await cluster.remotecallFetch(julia.myid, id!)).toBe(id);
  });
});

describe('managers', () => {
  /** A manager that notes what it is told. */
  const noting = (site: WorkerConfig['site']) => {
    const told: string[] = [];
    const manager: ClusterManager = {
      launch: () => [{ site, userdata: 'mine' }],
      manage: (event, id, { userdata }) => {
        told.push(`${event} ${id} ${userdata}`);
      },
    };
    return { told, manager };
  };

  test('38. A manager that is used twice adds twice, and hears what becomes of its workers', async () => {
    await using cluster = new Cluster();
    const { told, manager } = noting({ fork: 'virtual' });
    expect(await cluster.addProcs(manager)).toEqual([2]);
    expect(await cluster.addProcs(manager)).toEqual([3]);
    await cluster.interrupt(3);
    await cluster.rmProcs(2);
    expect(told).toEqual(['register 2 mine', 'register 3 mine', 'interrupt 3 mine', 'deregister 2 mine']);
  });

  test('38. A worker that is removed ends with exit code 0', async () => {
    await using cluster = new Cluster();
    await cluster.addProcs(by('exec "$@"'));
    const exit = new Promise<SiteExit>((resolve) => cluster.site(2)!.on('exit', resolve));
    await cluster.rmProcs(2);
    expect(await exit).toMatchObject({ reason: 'closed', code: 0 });
  });

  test('38. A worker that runs out of memory says so to its callers and to its cluster', async () => {
    await using cluster = new Cluster({ output: () => undefined });
    await cluster.addProcs(
      noting({ fork: 'virtual', resourceLimits: { maxOldGenerationSizeMb: 24 } }).manager,
    );
    const left = new Promise<string>((resolve) => cluster.on('leave', (_id, reason) => resolve(reason)));
    const error = await rejection(cluster.remotecallFetch(julia.hoard, 2));
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_PROCESS_EXITED', id: 2, reason: 'oom' });
    expect(await left).toBe('oom');
  });

  test('a manager whose worker can’t be connected hears of its end', async () => {
    await using cluster = new Cluster();
    const { told, manager } = noting({});
    const refuse = {
      ...manager,
      connect: () => {
        throw new Error('no way');
      },
    };
    const error = await rejection(cluster.addProcs(refuse));
    expect((error.errors as Error[])[0]!.message).toBe('no way');
    expect(told).toEqual(['finalize 2 mine']);
  });
});
