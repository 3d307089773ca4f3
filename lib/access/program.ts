import { randomBytes } from 'node:crypto';

/** This program, among all of its user's: a daemon puts its connections together by it, and proves nothing with it. */
const PROGRAM = randomBytes(6).toString('hex');

/** A path to ask a daemon for, with the program that asks. */
export const byThisProgram = (path: string): string => `${path}?program=${PROGRAM}`;

/** What a path asks for, and which program does, if it says so. */
export const askedBy = (path: string): { path: string; program: string | undefined } => {
  const [asked = '', query] = path.split('?', 2);
  const program = new URLSearchParams(query).get('program') ?? undefined;
  return { path: asked, program: program?.slice(0, 64) };
};
