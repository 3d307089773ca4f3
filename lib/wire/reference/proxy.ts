import type { Call } from '../call/call.ts';
import { Operation } from '../frame/frame.ts';
import { type Reference, referenceSymbol } from './reference.ts';

/** What proxies need of a session. */
export interface Caller {
  call(target: number, path: readonly string[], operation: Operation, args: unknown[]): Call;
  /** Somebody waits for the result; returns its promise. */
  pull(call: Call): Promise<unknown>;
  /** Another call will use the result; false if the peer has forgotten it already. */
  keep(call: Call): boolean;
}

/** What stands behind a proxy: a value over there, the result of a call, or a property of either. */
interface State extends Reference {
  readonly session: Caller;
  readonly id: number | undefined;
  readonly call: Call | undefined;
  readonly path: readonly string[];
  /** The proxy whose property this is: as long as this one is used, that one must not be collected and released. */
  readonly owner: object | undefined;
  /** Proxies of properties are made once: the hot path is a look-up. */
  children: Map<string, object> | undefined;
}

type Target = (() => void) & { state: State };

const NO_PATH: readonly string[] = [];

const make = (state: State): object => {
  // Callable and constructible, which an arrow function would not be.
  const target = function offsite() {} as unknown as Target;
  target.state = state;
  return new Proxy(target, handler);
};

/** The proxy of a value that lives on the other side of a session. */
export const proxyOf = (session: Caller, id: number): object =>
  make({ session, id, call: undefined, path: NO_PATH, owner: undefined, children: undefined });

/** The proxy of a call's result, usable before the result exists. */
export const proxyOfCall = (session: Caller, call: Call): object =>
  make({ session, id: undefined, call, path: NO_PATH, owner: undefined, children: undefined });

/** Does at home what a call would do over there, because the result is here already. */
const invokeHere = async (call: Call, path: readonly string[], operation: Operation, args: unknown[]) => {
  let self: unknown;
  let value = await call.promise;
  for (const key of path) {
    self = value;
    value = (value as Record<string, unknown>)[key];
  }
  if (operation === Operation.get) return value;
  if (operation === Operation.construct) return Reflect.construct(value as new () => object, args);
  return Reflect.apply(value as () => unknown, self, args);
};

/** Does an operation and gives its result as something that can be awaited and used further. */
const invoke = (state: State, operation: Operation, args: unknown[]): object => {
  const { session, call, path } = state;
  if (call === undefined) return proxyOfCall(session, session.call(state.id!, path, operation, args));
  if (session.keep(call)) return proxyOfCall(session, session.call(call.id, path, operation, args));
  const result = invokeHere(call, path, operation, args);
  // As over there: an error that nobody asks for is nobody's.
  result.catch(() => {});
  return result;
};

/** What `await` waits for. */
const promiseOf = (state: State): Promise<unknown> => {
  const { session, call, path } = state;
  if (call && path.length === 0) return session.pull(call);
  const got = invoke(state, Operation.get, []);
  return got instanceof Promise ? got : promiseOf((got as { [referenceSymbol]: State })[referenceSymbol]);
};

const property = (state: State, key: string, owner: object): unknown => {
  const awaitable = state.call !== undefined || state.path.length > 0;
  if (key === 'then') {
    // The proxy of a value is no promise: `await proxy` must give the proxy itself.
    if (!awaitable) return undefined;
    return (resolve: () => void, reject: () => void) => promiseOf(state).then(resolve, reject);
  }
  if (awaitable && key === 'catch') return (reject: () => void) => promiseOf(state).catch(reject);
  if (awaitable && key === 'finally') return (settle: () => void) => promiseOf(state).finally(settle);
  state.children ??= new Map();
  let child = state.children.get(key);
  if (!child) {
    child = make({ ...state, path: [...state.path, key], owner, children: undefined });
    state.children.set(key, child);
  }
  return child;
};

const handler: ProxyHandler<Target> = {
  get(target, key, self: object) {
    if (typeof key === 'string') return property(target.state, key, self);
    return key === referenceSymbol ? target.state : undefined;
  },
  apply: (target, _self, args) => invoke(target.state, Operation.apply, args),
  construct: (target, args) => invoke(target.state, Operation.construct, args),
  // A remote module is not looked at like a local object: nothing of it is here.
  has: (target, key) => key === referenceSymbol || Reflect.has(target, key),
  set(target, key) {
    throw new TypeError(
      `The property ${String(key)} of a value in another site can't be set; call a function there that sets it.`,
      { cause: target.state.path },
    );
  },
  defineProperty: () => false,
  deleteProperty: () => false,
  getPrototypeOf: () => Function.prototype,
};
