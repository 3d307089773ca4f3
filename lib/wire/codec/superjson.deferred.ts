import SuperJSON from 'superjson';

/** An instance of our own: superjson's default one is state that the whole process shares. */
export const makeSuperJSON = (): SuperJSON => new SuperJSON();
