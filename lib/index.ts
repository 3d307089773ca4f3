/// <reference types="node" preserve="true" />
export type { LinkOptions, RemoteManagerOptions } from '../actors/remote-manager/options.ts';
export type { OutputSink } from '../actors/remote-manager/output.ts';
export type { Health, ModuleTarget, SiteExit, SiteState } from '../actors/remote-manager.ts';
export { RemoteManager } from '../actors/remote-manager.ts';
export { ForkError, type ForkStep } from './fork/errors.ts';
export type { ForkMethod } from './fork/fork-method.ts';
export { virtualSites } from './fork/virtual.ts';
export {
  FreeVariableError,
  FunctorError,
  KeyTakenError,
  NativeAddonError,
  NotServedError,
  TypeScriptError,
} from './module/errors.ts';
export type { Functor, FunctorImports, ImportsOf, ModuleOf, Specifier } from './module/functor.ts';
export { from, functor, isFunctor } from './module/functor.ts';
export { accept, connect, Peer, type PeerOptions } from './module/peer.ts';
export type {
  Received,
  Remote,
  RemoteClass,
  RemoteFunction,
  RemotePromise,
  RemoteReference,
} from './module/remote.ts';
export type { SystemModule, SystemModules } from './module/system-modules.ts';
export type { CallOptions } from './wire/call/options.ts';
export { callSignal } from './wire/call/scope.ts';
export { registerClass, registerType, type TypeRegistration } from './wire/codec/register.ts';
export { transfer } from './wire/codec/transfer.ts';
export {
  type Death,
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
export type { Limits } from './wire/limits.ts';
export { release, withOptions } from './wire/reference/handle.ts';
export { byReference, RemoteTarget } from './wire/reference/reference.ts';
