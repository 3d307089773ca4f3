// An actor that looks for primes, until it has enough of them; examples/comes-back.js runs it in a site.
import { assign, setup } from 'xstate';

const isPrime = (n: number): boolean => {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return n > 1;
};

const next = (after: number): number => {
  let n = after + 1;
  while (!isPrime(n)) n++;
  return n;
};

export const primes = setup({
  types: {
    context: {} as { found: readonly number[]; wanted: number },
    input: {} as { found: readonly number[]; wanted: number },
    output: {} as readonly number[],
  },
  actions: { find: assign({ found: ({ context: { found } }) => [...found, next(found.at(-1) ?? 0)] }) },
  guards: { enough: ({ context: { found, wanted } }) => found.length >= wanted },
}).createMachine({
  context: ({ input }) => input,
  initial: 'looking',
  states: {
    looking: {
      always: { guard: 'enough', target: 'done' },
      after: { 20: { target: 'looking', reenter: true, actions: 'find' } },
    },
    done: { type: 'final' },
  },
  output: ({ context }) => context.found,
});
