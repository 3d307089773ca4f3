import { changeLease } from '../ticket/lease.ts';
import { type KeptOutcome, type KeptState, keptOutcomes } from './kept.ts';

/** What the client of a journal calls in its sites; it travels there as any module does. */

/** What becomes of a job, when it has ended; nothing if it is not known here. */
export const outcome = async (id: string): Promise<KeptOutcome | undefined> => keptOutcomes().outcome(id);

/** See KeptOutcomes. */
export const claim = (ids: readonly string[]): KeptState[] => keptOutcomes().claim(ids);

/** Aborts the signal of a job that runs here. */
export const cancel = (id: string, reason: unknown): void => keptOutcomes().cancel(id, reason);

/** The outcomes of these are on the disk of their client. */
export const forget = (ids: readonly string[]): void => keptOutcomes().forget(ids);

/** This site can be found again, so it waits `ms` milliseconds for a client who comes for what it keeps. */
export const wait = (ms: number): void => changeLease(ms);
