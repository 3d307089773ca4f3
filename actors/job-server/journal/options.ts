import * as v from 'valibot';
import { OptionError } from '../../../lib/wire/errors.ts';
import type { Acknowledgement } from './deliveries.ts';

/** How a job server keeps its journal, as checked options. */
export interface CheckedJournalOptions {
  readonly path: string;
  readonly durable: 'sync' | 'os';
  readonly keepResults: number | undefined;
  readonly acknowledge: Acknowledgement;
}

/** Options of a job server that are about its journal. */
export const journalSchema = {
  journal: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  durable: v.optional(v.picklist(['sync', 'os'])),
  keepResults: v.optional(v.pipe(v.number(), v.minValue(1, 'must be a number of milliseconds'))),
  acknowledge: v.optional(v.picklist(['delivered', 'manual'])),
};

interface Given {
  readonly journal?: string | undefined;
  readonly durable?: 'sync' | 'os' | undefined;
  readonly keepResults?: number | undefined;
  readonly acknowledge?: Acknowledgement | undefined;
  readonly fork?: unknown;
}

/** The options of a journal, if there is to be one. Throws OptionError. */
export const checkJournalOptions = ({
  journal,
  durable,
  keepResults,
  acknowledge,
  fork,
}: Given): CheckedJournalOptions | undefined => {
  if (journal !== undefined) {
    if (fork === 'virtual') {
      throw new OptionError(
        'fork',
        'With a journal, sites must outlive this process, and threads do not; leave out fork.',
      );
    }
    return {
      path: journal,
      durable: durable ?? 'sync',
      keepResults,
      acknowledge: acknowledge ?? 'delivered',
    };
  }
  for (const [option, value] of Object.entries({ durable, keepResults, acknowledge })) {
    if (value !== undefined) {
      throw new OptionError(option, `The option ${option} is for a job server with a journal: give journal.`);
    }
  }
  return undefined;
};
