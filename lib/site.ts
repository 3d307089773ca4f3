/// <reference types="node" preserve="true" />
/**
 * What modules that run in sites need, and nothing that starts sites: `import { callSignal } from 'offsite/site'` loads
 * neither the manager nor the shell, and little travels. `offsite` has the same names.
 */
export type {
  Given,
  Received,
  RegisteredClasses,
  Remote,
  RemoteClass,
  RemoteConstant,
  RemoteFunction,
  RemotePromise,
  RemoteReference,
  Unawaited,
} from './module/remote.ts';
export type { CallOptions } from './wire/call/options.ts';
export { callSignal } from './wire/call/scope.ts';
export { registerClass, registerType, type TypeRegistration } from './wire/codec/register.ts';
export { transfer } from './wire/codec/transfer.ts';
export {
  type Death,
  type DeathReason,
  LimitError,
  OffsiteError,
  OptionError,
  ProtocolError,
  ReleasedError,
  SiteClosedError,
  SiteCrashedError,
  TimeoutError,
  UndecodableError,
  UnserializableError,
} from './wire/errors.ts';
export { release, withOptions } from './wire/reference/handle.ts';
export { type ByReference, byReference, type Releasable, RemoteTarget } from './wire/reference/reference.ts';
