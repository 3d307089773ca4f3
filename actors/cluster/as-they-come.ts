/** Gives the items of each list as soon as it is there, and throws what `failure` makes of those that failed at the end. */
export async function* asTheyCome<T>(
  lists: readonly Promise<readonly T[]>[],
  failure: (failures: unknown[]) => unknown,
): AsyncGenerator<T, void> {
  const failures: unknown[] = [];
  const waiting = new Map(
    lists.map((list, at) => [
      at,
      list.then(
        (items) => ({ at, items }),
        (reason: unknown) => ({ at, items: [], reason }),
      ),
    ]),
  );
  while (waiting.size > 0) {
    const settled = await Promise.race(waiting.values());
    waiting.delete(settled.at);
    if ('reason' in settled) failures.push(settled.reason);
    yield* settled.items;
  }
  if (failures.length > 0) throw failure(failures);
}
