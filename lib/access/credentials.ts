/** How a client shows a daemon or a scheduler who he is; what is not said is looked for where `offsite keygen` puts it. */
export interface Credentials {
  /** The text of a key, as `offsite keygen` writes it. */
  readonly secret?: string;
  /** The file that holds it. @default the environment variable OFFSITE_SECRET_FILE, or the user's own key file */
  readonly secretFile?: string;
  /** The client's certificate (PEM file), for mutual TLS. */
  readonly certfile?: string;
  /** Its private key (PEM file). */
  readonly keyfile?: string;
  /** The authorities that the daemon's certificate must come from (PEM file). */
  readonly ca?: string;
  /** The user who logs in by a password. */
  readonly user?: string;
  /** His password, or what asks him for it. */
  readonly password?: string | (() => string | Promise<string>);
}

/** What a daemon knows its clients by; each is a file that only its user may read. */
export interface AccessFiles {
  /** Keys of users, one a line, as `offsite keygen` writes them. */
  readonly secretFile?: string;
  /** The daemon's own certificate, and its private key, for mutual TLS. */
  readonly certfile?: string;
  readonly keyfile?: string;
  /** The authorities that certificates of clients must come from. */
  readonly ca?: string;
  /** Verifiers of passwords, as `offsite passwd` writes them. */
  readonly passwordFile?: string;
}

/** What somebody may do: have sites and run jobs; serve as a node of a scheduler; or all that, and steer. */
export type Domain = 'use' | 'node' | 'admin';
