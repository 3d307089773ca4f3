/// <reference types="node" preserve="true" />
export {
  ActorLogicError,
  type ActorSite,
  type ActorSiteSource,
  type CreateRemoteActorOptions,
  createRemoteActor,
  type DeadLetter,
  DeadLetterError,
  type DeadLetterListener,
  fromSite,
  type LogicName,
  type LogicOf,
  MailboxFullError,
  moveActor,
  type OneName,
  persist,
  type RemoteActor,
  type RemoteActorLogic,
  type RemoteActorOptions,
  type RemoteSnapshot,
} from '../actors/remote-actor.ts';
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
export type { SystemModule, SystemModules } from './module/system-modules.ts';
export * from './site.ts';
export type { Limits } from './wire/limits.ts';
