// Actors that the benches run, in a site and here.
import { fromCallback } from 'xstate';

/** Answers each event that asks, by emitting; takes the others and does nothing. */
export const answering = fromCallback(({ receive, emit }) => {
  receive((event) => {
    if (event.type === 'ask') emit({ type: 'answer' });
  });
});
