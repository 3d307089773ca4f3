/// <reference types="node" preserve="true" />
export { type OfferOptions, offer, retract, type TakeOptions, take } from '../actors/offer.ts';
export type { AttachOptions, LinkOptions, RemoteManagerOptions } from '../actors/remote-manager/options.ts';
export type { OutputSink } from '../actors/remote-manager/output.ts';
export type { Health, ModuleTarget, SiteExit, SiteState } from '../actors/remote-manager.ts';
export { RemoteManager } from '../actors/remote-manager.ts';
export { ErrandError, ForkError, type ForkStep } from './fork/errors.ts';
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
export { TicketError, type TicketReason } from './ticket/errors.ts';
export { FolderError } from './ticket/folder.ts';
export type { TicketTerms } from './ticket/keys.ts';
export type { Limits } from './wire/limits.ts';
