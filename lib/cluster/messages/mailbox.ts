import { type Packed, sizeOf } from '../broadcast/packed.ts';
import type { Delivered, MailboxBounds, Message } from './protocol.ts';

/** A message that lies here. */
interface Entry {
  readonly number: number;
  readonly packed: Packed;
  readonly size: number;
}

/** Messages that have come and for which there is no room yet; their sender waits. */
interface Delivery {
  /** Those that were neither taken nor recalled. */
  readonly waiting: Entry[];
  through: number;
  readonly answer: (delivered: Delivered) => void;
  readonly refuse: (reason: Error) => void;
}

/** What has come of one sender. */
interface Box {
  readonly unread: Entry[];
  bytes: number;
  /** A sender has one on its way at a time, and another one only if its first was given up with its connection. */
  readonly deliveries: Delivery[];
}

/** How a process starts, before it is told how its network is to be. */
export const DEFAULT_MAILBOX: MailboxBounds = { messages: 1_000, bytes: 64 * 2 ** 20 };

/**
 * The messages that nobody in this process has read, by their senders. Each sender has room of its own: one that sends
 * more than is read can't keep the others out.
 */
export class Mailbox {
  #bounds: MailboxBounds = DEFAULT_MAILBOX;
  readonly #boxes = new Map<number, Box>();
  /** Who was read last, so that the next one's turn is before it. */
  #last = 0;

  set bounds(bounds: MailboxBounds) {
    this.#bounds = bounds;
    for (const box of this.#boxes.values()) this.#admit(box);
  }

  /** Takes messages as far as there is room; resolves when at least the first of them has it. */
  deliver(from: number, messages: readonly Message[]): Promise<Delivered> {
    const box = this.#box(from);
    return new Promise((answer, refuse) => {
      box.deliveries.push({
        waiting: messages.map(({ number, packed }) => ({ number, packed, size: sizeOf(packed) })),
        through: 0,
        answer,
        refuse,
      });
      this.#admit(box);
    });
  }

  /** Drops a message that was not read. */
  recall(from: number, number: number): void {
    const box = this.#box(from);
    const at = box.unread.findIndex((entry) => entry.number === number);
    if (at >= 0) {
      const [entry] = box.unread.splice(at, 1);
      box.bytes -= entry!.size;
    }
    for (const delivery of box.deliveries) {
      const place = delivery.waiting.findIndex((entry) => entry.number === number);
      if (place < 0) continue;
      delivery.waiting.splice(place, 1);
      if (delivery.waiting.length === 0) delivery.through = Math.max(delivery.through, number);
    }
    this.#admit(box);
  }

  /** The senders of which something can be read, the one first whose turn it is; of all, or only of these. */
  readable(of?: readonly number[]): number[] {
    const ids = [...this.#boxes]
      .filter(([id, { unread }]) => unread.length > 0 && (!of || of.includes(id)))
      .map(([id]) => id)
      .sort((a, b) => a - b);
    const next = ids.findIndex((id) => id > this.#last);
    return next <= 0 ? ids : [...ids.slice(next), ...ids.slice(0, next)];
  }

  /** The oldest message of a sender, which must have one. */
  take(from: number): Packed {
    const box = this.#box(from);
    const entry = box.unread.shift()!;
    box.bytes -= entry.size;
    this.#last = from;
    this.#admit(box);
    return entry.packed;
  }

  /** Nobody reads any more; those who wait for room are told why. */
  close(reason: Error): void {
    for (const { deliveries } of this.#boxes.values()) for (const { refuse } of deliveries) refuse(reason);
    this.#boxes.clear();
  }

  #box(from: number): Box {
    let box = this.#boxes.get(from);
    if (!box) {
      box = { unread: [], bytes: 0, deliveries: [] };
      this.#boxes.set(from, box);
    }
    return box;
  }

  #hasRoom(box: Box, size: number): boolean {
    if (box.unread.length === 0) return true;
    return box.unread.length < this.#bounds.messages && box.bytes + size <= this.#bounds.bytes;
  }

  #admit(box: Box): void {
    for (let delivery = box.deliveries[0]; delivery; delivery = box.deliveries[0]) {
      for (
        let next = delivery.waiting[0];
        next && this.#hasRoom(box, next.size);
        next = delivery.waiting[0]
      ) {
        delivery.waiting.shift();
        delivery.through = next.number;
        box.unread.push(next);
        box.bytes += next.size;
      }
      if (delivery.waiting.length > 0 && delivery.through === 0) return;
      box.deliveries.shift();
      // What there was no room for is still at its sender, who brings it again.
      delivery.answer({
        through: delivery.through,
        messages: Math.max(0, this.#bounds.messages - box.unread.length),
        bytes: Math.max(0, this.#bounds.bytes - box.bytes),
      });
    }
  }
}
