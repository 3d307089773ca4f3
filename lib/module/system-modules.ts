/**
 * What code gets that imports a CommonJS-shaped module: its properties by name, and the whole under `default`. The
 * types of such modules say `export =`, which would also let one call or construct the namespace itself; no engine can.
 */
export type CommonJSNamespace<M> = { readonly [K in Exclude<keyof M, 'prototype' | 'default'>]: M[K] } & {
  readonly default: M;
};

/**
 * The types of modules that a functor may import by plain name. Programs may add their own:
 * `declare module 'offsite' { interface SystemModules { 'left-pad': typeof import('left-pad') } }`.
 */
export interface SystemModules {
  'node:assert': CommonJSNamespace<typeof import('node:assert')>;
  'node:assert/strict': CommonJSNamespace<typeof import('node:assert/strict')>;
  'node:async_hooks': typeof import('node:async_hooks');
  'node:buffer': typeof import('node:buffer');
  'node:child_process': typeof import('node:child_process');
  'node:cluster': typeof import('node:cluster');
  'node:console': CommonJSNamespace<typeof import('node:console')>;
  'node:constants': CommonJSNamespace<typeof import('node:constants')>;
  'node:crypto': typeof import('node:crypto');
  'node:dgram': typeof import('node:dgram');
  'node:diagnostics_channel': typeof import('node:diagnostics_channel');
  'node:dns': typeof import('node:dns');
  'node:dns/promises': typeof import('node:dns/promises');
  'node:domain': typeof import('node:domain');
  'node:events': CommonJSNamespace<typeof import('node:events')>;
  'node:fs': typeof import('node:fs');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:http': typeof import('node:http');
  'node:http2': typeof import('node:http2');
  'node:https': typeof import('node:https');
  'node:inspector': typeof import('node:inspector');
  'node:inspector/promises': typeof import('node:inspector/promises');
  'node:module': CommonJSNamespace<typeof import('node:module')>;
  'node:net': typeof import('node:net');
  'node:os': typeof import('node:os');
  'node:path': CommonJSNamespace<typeof import('node:path')>;
  'node:path/posix': CommonJSNamespace<typeof import('node:path/posix')>;
  'node:path/win32': CommonJSNamespace<typeof import('node:path/win32')>;
  'node:perf_hooks': typeof import('node:perf_hooks');
  'node:process': CommonJSNamespace<typeof import('node:process')>;
  'node:punycode': typeof import('node:punycode');
  'node:querystring': typeof import('node:querystring');
  'node:readline': typeof import('node:readline');
  'node:readline/promises': typeof import('node:readline/promises');
  'node:repl': typeof import('node:repl');
  'node:sea': typeof import('node:sea');
  'node:stream': CommonJSNamespace<typeof import('node:stream')>;
  'node:stream/consumers': typeof import('node:stream/consumers');
  'node:stream/promises': typeof import('node:stream/promises');
  'node:stream/web': typeof import('node:stream/web');
  'node:string_decoder': typeof import('node:string_decoder');
  'node:test': CommonJSNamespace<typeof import('node:test')>;
  'node:test/reporters': typeof import('node:test/reporters');
  'node:timers': typeof import('node:timers');
  'node:timers/promises': typeof import('node:timers/promises');
  'node:tls': typeof import('node:tls');
  'node:trace_events': typeof import('node:trace_events');
  'node:tty': typeof import('node:tty');
  'node:url': typeof import('node:url');
  'node:util': typeof import('node:util');
  'node:util/types': typeof import('node:util/types');
  'node:v8': typeof import('node:v8');
  'node:vm': typeof import('node:vm');
  'node:wasi': typeof import('node:wasi');
  'node:worker_threads': typeof import('node:worker_threads');
  'node:zlib': typeof import('node:zlib');
}

/** The modules that Node.js knows only with `node:` in front; without it the name is a package's. */
type PrefixOnly = 'sea' | 'test' | 'test/reporters';

/**
 * The type of the module that a plain specifier names: a system module, with or without `node:` in front, or else an
 * unknown one, whose exports are `unknown`.
 */
export type SystemModule<Specifier extends string> = Specifier extends keyof SystemModules
  ? SystemModules[Specifier]
  : Specifier extends PrefixOnly
    ? Record<string, unknown>
    : `node:${Specifier}` extends keyof SystemModules
      ? SystemModules[`node:${Specifier}`]
      : Record<string, unknown>;
