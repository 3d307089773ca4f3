import { join } from 'node:path';
import type { FunctionText } from '../../lib/cluster/function-text.ts';
import { FileTooLargeError } from '../../lib/jobs/errors.ts';
import { within, writeFileWhole } from '../../lib/jobs/files.ts';
import type { Desk } from '../../lib/jobs/protocol.ts';
import { RemoteTarget } from '../../lib/wire/reference/reference.ts';
import type { JobRecord } from './job-record.ts';
import type { OutgoingFiles } from './outgoing-files.ts';

/** What the desk of a site asks and tells. */
export interface DeskHost {
  readonly files: OutgoingFiles;
  /** The largest file that may come or go, in bytes. */
  readonly maxFileSize: number;
  /** The job of that number that is in the site; `undefined` if it has been given up. */
  job(number: number): JobRecord | undefined;
  load(fn: FunctionText): Promise<object>;
  started(number: number): void;
  done(number: number, took: number, value: unknown): void;
  said(record: JobRecord): void;
  /** Where files of a job go that it sends back. */
  folderFor(record: JobRecord): string;
  transferred(bytes: { readonly sent?: number; readonly received?: number }): void;
}

/** What one site of a job server calls here. */
export class SiteDesk extends RemoteTarget implements Desk {
  readonly #host: DeskHost;

  constructor(host: DeskHost) {
    super();
    this.#host = host;
  }

  /** See Desk. */
  load(fn: FunctionText): Promise<object> {
    return this.#host.load(fn);
  }

  /** See Desk. */
  started(number: number): void {
    this.#host.started(number);
  }

  /** See Desk. */
  done(number: number, took: number, value?: unknown): void {
    this.#host.done(number, took, value);
  }

  /** See Desk. */
  print(number: number, descriptor: number, text: string): void {
    this.#host.job(number)?.print(descriptor === 2 ? 'stderr' : 'stdout', text);
  }

  /** See Desk. */
  provisional(number: number, value: unknown): void {
    const record = this.#host.job(number);
    if (!record) return;
    record.status = 'provisional';
    record.provisional.push(value);
    this.#host.said(record);
  }

  /** See Desk. */
  async *fetch(hash: string): AsyncGenerator<Uint8Array, undefined> {
    for await (const bytes of this.#host.files.content(hash)) {
      this.#host.transferred({ sent: bytes.byteLength });
      yield bytes;
    }
  }

  /** See Desk. */
  async receive(
    number: number,
    file: { readonly name: string; readonly size: number; readonly mode: number },
    content: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    const { maxFileSize } = this.#host;
    const { name, size } = file;
    if (size > maxFileSize) throw new FileTooLargeError(name, size, maxFileSize, 'this job server');
    const record = this.#host.job(number);
    if (!record) throw new Error(`The job ${number} is over, so nothing of it is taken any more.`);
    const path = within(join(this.#host.folderFor(record)), name);
    const host = this.#host;
    const counted = (async function* () {
      for await (const bytes of content) {
        host.transferred({ received: bytes.byteLength });
        yield bytes;
      }
    })();
    const hash = await writeFileWhole(path, file, counted);
    record.received ??= [];
    record.received.push({ name, path, size, hash });
    return hash;
  }
}
