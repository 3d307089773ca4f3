import type { Call } from '../../lib/wire/call/call.ts';
import { LimitError, UnserializableError } from '../../lib/wire/errors.ts';
import { referenceOf } from '../../lib/wire/reference/reference.ts';

/**
 * Why the arguments of a call could not be sent, which is known as soon as it was made; `undefined` if they were, or if
 * the call failed for another reason, which its promise tells.
 */
export const refusalOf = (result: unknown): Error | undefined => {
  const call = referenceOf(result)?.call as Call | undefined;
  if (!call?.settled) return undefined;
  const { failure } = call;
  // By the names, because in a site these may be the classes of its engine's own copy.
  if (failure instanceof UnserializableError || failure instanceof LimitError) return failure;
  const { name } = (failure ?? {}) as Error;
  return name === 'UnserializableError' || name === 'LimitError' ? (failure as Error) : undefined;
};
