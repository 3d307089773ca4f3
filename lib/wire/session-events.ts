/** What a session tells its owner. */
export interface SessionEvents {
  /** The peer said who it is. */
  hello?(greeting: unknown): void;
  /** User code over there printed; `descriptor` is 1 or 2. */
  output?(descriptor: number, text: string): void;
  /** The peer asks this side to shut down in order. */
  close?(): void;
  /** The link is gone; called once. */
  disconnected?(cause: Error | undefined): void;
}

/** Makes the error of a call that will never be answered; `mayHaveRun` says that it had been sent. */
export type FailureOf = (mayHaveRun: boolean) => unknown;
