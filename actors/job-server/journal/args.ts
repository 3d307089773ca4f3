/** Lists of arguments, one for each job; they may come as they are made. */
export type ArgLists<A extends readonly unknown[]> = Iterable<A> | AsyncIterable<A>;
