/** A link in memory that records what its session sends, and passes it on if there is a peer. */
export class FuzzLink {
  sharesMemory;
  destroyed = false;
  cause;
  disconnects = 0;
  waiting = 0;
  congested = false;
  /** What was sent from this end: `{ bytes, beside }`. */
  sent = [];
  peer;
  #receiver;

  constructor(sharesMemory = false) {
    this.sharesMemory = sharesMemory;
  }

  open(receiver) {
    this.#receiver = receiver;
  }

  send(bytes, beside) {
    if (this.destroyed) return false;
    const copy = Buffer.from(bytes);
    const values = beside && structuredClone(beside.values, { transfer: beside.transfer });
    if (this.peer) {
      this.sent.push({ bytes: copy, beside: values?.map((value) => value.slice(0)) });
      queueMicrotask(() => this.peer.deliver(copy, values));
    } else this.sent.push({ bytes: copy.length });
    return false;
  }

  /** Hands bytes to the session behind other bytes, and before `behind` more, which it must not look at. */
  deliver(bytes, beside, behind = 12) {
    if (this.destroyed) return;
    const memory = Buffer.alloc(bytes.length + 12 + behind, 0xee);
    bytes.copy(memory, 12);
    this.#receiver.receive(memory, 12, 12 + bytes.length, beside);
    memory.fill(0xdd);
  }

  destroy(cause) {
    if (this.destroyed) return;
    this.destroyed = true;
    this.cause = cause;
    this.disconnects++;
    this.#receiver.disconnected(cause);
  }

  ref() {}
  unref() {}
  expect() {}
  receiveSync() {}
  async drained() {}
  async flushed() {}
}
