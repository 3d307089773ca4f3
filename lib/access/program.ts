import { randomBytes } from 'node:crypto';
import type { Visitor } from './visitor.ts';

/** What tells this program apart from the others of its user; no secret. A worker thread has one of its own. */
const id = randomBytes(8).toString('hex');

/** A path as this program asks for it, so that all of its connections are known for those of one client. */
export const asThisProgram = (path: `/${string}`): string => `${path}?client=${id}`;

const LONGEST_ID = 64;

/** What a visitor asked for, without what is behind a `?`. */
export const pathOf = ({ path }: Pick<Visitor, 'path'>): string => path.split('?', 1)[0]!;

/** What names the client whose connection this is: his user and his program, or where he comes from. */
export const clientOf = ({ user, path, ends }: Pick<Visitor, 'user' | 'path' | 'ends'>): string => {
  const program = new URLSearchParams(path.slice(pathOf({ path }).length)).get('client');
  const known = program !== null && program.length <= LONGEST_ID;
  return `${user}/${known ? program : (ends.remoteAddress ?? 'unknown')}`;
};
