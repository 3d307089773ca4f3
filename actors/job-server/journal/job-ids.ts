import type { JobPlace } from './keys.ts';

const NUMBER = '(0|[1-9]\\d{0,14})';

/** Ids of jobs: the journal's own word, the number of the submission, and the number in there if it has many. */
export class JobIds {
  readonly #word: string;
  readonly #form: RegExp;

  constructor(word: string) {
    this.#word = word;
    this.#form = new RegExp(`^${word}-${NUMBER}(?:\\.${NUMBER})?$`);
  }

  /** The id of a job. */
  of({ submission, index }: JobPlace, many: boolean): string {
    return many ? `${this.#word}-${submission}.${index}` : `${this.#word}-${submission}`;
  }

  /** The job with an id, if it is one of this journal's. */
  placeOf(id: string): JobPlace | undefined {
    const found = this.#form.exec(id);
    if (!found) return undefined;
    return { submission: Number(found[1]), index: Number(found[2] ?? 0) };
  }
}
