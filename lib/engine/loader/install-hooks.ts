import * as nodeModule from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import type { Edge } from '../../module/source/service.ts';
import { change, type HookedModule, type HookState, type StateChange } from './hook-state.ts';
import { type Ask, type Hooks, makeHooks } from './hooks.ts';
import { leavesFilesOpen, readModulesAtOnce } from './read-at-once.ts';

const { isBuiltin, register } = nodeModule;

/** Since 22.15; hooks that run in the thread that imports. */
const { registerHooks } = nodeModule as unknown as { registerHooks?: (hooks: Hooks) => unknown };

/** What the thread of the hooks asks, and what it gets. */
interface Question {
  readonly id: number;
  readonly specifier: string;
  /** Without it, `specifier` is the URL of a TypeScript file. */
  readonly importer?: string;
}
type Answer =
  | { readonly id: number; readonly answer: Edge | HookedModule | undefined }
  | { readonly id: number; readonly code: string | undefined; readonly message: string };

/** How the engine answers the hooks: at once, or when it can. */
export interface Answers {
  readonly now: Ask;
  readonly soon: {
    resolve(specifier: string, importer: string): Promise<Edge | undefined>;
    typeScript(url: string): Promise<HookedModule | undefined>;
  };
}

/** Installs Node's hooks over a state; the returned function must be told each change of it. */
export const installHooks = (state: HookState, answers: Answers): ((changed: StateChange) => void) =>
  registerHooks ? installHere(state, answers.now, registerHooks) : installThread(state, answers.soon);

const installHere = (state: HookState, ask: Ask, registerHere: (hooks: Hooks) => unknown) => {
  registerHere(makeHooks(state, ask, isBuiltin));
  return (changed: StateChange) => change(state, changed);
};

/**
 * Runs in Node's loader thread, from its source text. Changes are read before each question is answered, because
 * Node's own messages and ours come by different ports, in no order that anybody promises.
 */
const threadText = `
import fs from 'node:fs';
import { isBuiltin } from 'node:module';
import { receiveMessageOnPort } from 'node:worker_threads';
const change = ${String(change)};
const makeHooks = ${String(makeHooks)};
if (${leavesFilesOpen}) (${String(readModulesAtOnce)})(fs);
let port, state, hooks, last = 0;
const waiting = new Map();
const take = (message) => {
  if (message.change) return change(state, message.change);
  const { resolve, reject } = waiting.get(message.id);
  waiting.delete(message.id);
  if (waiting.size === 0) port.unref();
  if ('message' in message) reject(Object.assign(new Error(message.message), { code: message.code }));
  else resolve(message.answer);
};
const ask = (question) => new Promise((resolve, reject) => {
  const id = ++last;
  waiting.set(id, { resolve, reject });
  port.ref();
  port.postMessage({ id, ...question });
});
const catchUp = () => { for (let got; (got = receiveMessageOnPort(port)); ) take(got.message); };
export const initialize = (data) => {
  ({ port, state } = data);
  port.on('message', take);
  port.unref();
  hooks = makeHooks(state, {
    resolve: (specifier, importer) => ask({ specifier, importer }),
    typeScript: (specifier) => ask({ specifier }),
  }, isBuiltin);
};
export const resolve = async (...args) => { catchUp(); return hooks.resolve(...args); };
export const load = async (...args) => { catchUp(); return hooks.load(...args); };
//# sourceURL=offsite:hooks`;

const installThread = (state: HookState, answers: Answers['soon']) => {
  const { port1: ours, port2: theirs } = new MessageChannel();
  ours.on('message', async ({ id, specifier, importer }: Question) => {
    const reply = (answer: Answer) => ours.postMessage(answer);
    try {
      const answer =
        importer === undefined
          ? await answers.typeScript(specifier)
          : await answers.resolve(specifier, importer);
      reply({ id, answer });
    } catch (cause) {
      const { message, code } = cause as NodeJS.ErrnoException;
      reply({ id, code, message });
    }
  });
  ours.unref();
  register(`data:text/javascript,${encodeURIComponent(threadText)}`, {
    data: { port: theirs, state },
    transferList: [theirs],
  });
  return (changed: StateChange) => {
    change(state, changed);
    ours.postMessage({ change: changed });
  };
};
