import type { Broadcast } from '../broadcast/broadcast.ts';
import type { Packed } from '../broadcast/packed.ts';
import type { FunctionText, Outcome } from '../function-text.ts';

/** What a process may keep of each sender that nobody has read; one message is taken however large it is. */
export interface MailboxBounds {
  /** @default 1000 */
  readonly messages: number;
  /** @default 64 MiB */
  readonly bytes: number;
}

/** One node of a network, as all its processes know it. */
export interface NodeDescription {
  /** The process's id, which is the node's number: 1 is the client. */
  readonly id: number;
  /** As whoever connected has named its host. */
  readonly name: string;
  /** As its host calls itself. */
  readonly hostname: string;
  /** How many processors its host has for it. */
  readonly nproc: number;
  /** The processes beside it on its host that do elements of arrays for it. */
  readonly localJobs: readonly number[];
}

/** What each process of a network is told of it. */
export interface Layout {
  readonly nodes: readonly NodeDescription[];
  readonly mailbox: MailboxBounds;
}

/** What a process says of where it runs. */
export type Surroundings = Pick<NodeDescription, 'hostname' | 'nproc'>;

/** A message on its way; each sender counts its own to each receiver. */
export interface Message {
  readonly number: number;
  readonly packed: Packed;
}

/** Up to which message all were taken or recalled, and what more there is room for. */
export interface Delivered extends MailboxBounds {
  readonly through: number;
}

/** A command that runs in several nodes: who has asked for it, and which of its commands it is. */
export interface CommandName {
  readonly from: number;
  readonly number: number;
}

/** What the nodes of a network say to each other. */
export interface MessagesService {
  describe(): Promise<Surroundings>;
  /** From now on this process is in a network of that layout; told again when it changes. */
  open(layout: Layout): Promise<void>;
  /** Takes messages in their order; answers when there was room for the first, at least. */
  deliver(from: number, messages: readonly Message[]): Promise<Delivered>;
  /** The sender has given a message up: it is dropped unless it was read. */
  recall(from: number, number: number): Promise<void>;
  /** What is in this broadcast, by name, is a variable here from now on. */
  install(broadcast: Broadcast<Readonly<Record<string, unknown>>>): Promise<void>;
  /** What was installed here, by name. */
  variables(): Promise<Readonly<Record<string, unknown>>>;
  /** Takes over what was installed in a node, for which this process is to do elements of arrays. */
  adopt(node: number): Promise<void>;
  /** Runs a command that these nodes run; if it fails, the others among them are told. */
  command(
    command: CommandName,
    nodes: readonly number[],
    fn: FunctionText,
    args: readonly unknown[],
  ): Promise<Outcome>;
  /** A command that this process runs too has failed at a node: who waits for that node waits in vain. */
  failed(command: CommandName, node: number, error: unknown): Promise<void>;
}
