import type { JobRecord } from './job-record.ts';

/** The jobs that are not over, by their groups, and who waits for them. */
export class Groups {
  readonly #open = new Map<string, Set<JobRecord>>();
  #waiting: { readonly group: string | undefined; readonly over: () => void }[] = [];
  #count = 0;

  /** How many jobs are not over. */
  get count(): number {
    return this.#count;
  }

  add(record: JobRecord): void {
    const { group } = record.options;
    let jobs = this.#open.get(group);
    if (!jobs) {
      jobs = new Set();
      this.#open.set(group, jobs);
    }
    jobs.add(record);
    this.#count++;
  }

  delete(record: JobRecord): void {
    const { group } = record.options;
    const jobs = this.#open.get(group);
    if (!jobs?.delete(record)) return;
    this.#count--;
    if (jobs.size > 0) return;
    this.#open.delete(group);
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((each) => !this.#isOver(each.group));
    for (const each of waiting) if (this.#isOver(each.group)) each.over();
  }

  /** The jobs of a group that are not over, or all. */
  of(group: string | undefined): JobRecord[] {
    if (group !== undefined) return [...(this.#open.get(group) ?? [])];
    return [...this.#open.values()].flatMap((jobs) => [...jobs]);
  }

  /** Resolves when no job of a group, or none at all, is left that is not over. */
  whenOver(group: string | undefined): Promise<void> {
    if (this.#isOver(group)) return Promise.resolve();
    return new Promise((over) => void this.#waiting.push({ group, over }));
  }

  #isOver(group: string | undefined): boolean {
    return group === undefined ? this.#open.size === 0 : !this.#open.has(group);
  }
}
