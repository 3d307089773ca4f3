/** A daemon that was found, where it is, as `host:port`. */
export interface FoundServer {
  readonly host: string;
}

/** What finds daemons as they come and go, for `servers: ['auto']`. */
export interface NodeSource {
  /** Ends the search. Never rejects. */
  close(): Promise<void>;
}

/** What is told of what is found. */
export interface NodeSourceEvents {
  up(server: FoundServer): void;
  down(server: FoundServer): void;
  /** What was tried in vain, in words. */
  trouble(why: string): void;
}
