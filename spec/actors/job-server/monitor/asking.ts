import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { afterEach } from 'vitest';
import type { Watched } from '../../../../actors/job-server/monitor/watched.ts';
import { type Monitor, type MonitorOptions, openMonitor } from '../../../../actors/job-server/monitor.ts';

const opened = new Set<Monitor>();

/** Opens a monitor that ends with its test. */
export const open = async (watched: Watched, options: MonitorOptions = {}): Promise<Monitor> => {
  const monitor = await openMonitor(watched, { every: 20, ...options });
  opened.add(monitor);
  return monitor;
};

/** Ends what a test has opened; called inside a `describe`. */
export const closeMonitors = (): void => {
  afterEach(async () => {
    const all = [...opened];
    opened.clear();
    await Promise.all(all.map((monitor) => monitor.close()));
  });
};

export const tokenOf = ({ url }: Monitor): string => new URL(url).searchParams.get('token')!;

export const bearer = (monitor: Monitor) => ({ Authorization: `Bearer ${tokenOf(monitor)}` });

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What a certificate must come from. */
  readonly ca?: string;
}

export interface Answer {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Begins a request whose path is sent as it is; the answer is still to be read. */
export const begin = (
  { url, address }: Pick<Monitor, 'url' | 'address'>,
  path: string,
  { method = 'GET', headers = {}, body, ca }: Asked = {},
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const isTls = url.startsWith('https');
    const asked = (isTls ? tlsRequest : plainRequest)(
      {
        host: address.host,
        port: address.port,
        path,
        method,
        agent: false,
        headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
        ...(ca !== undefined && { ca, checkServerIdentity: () => undefined }),
      },
      resolve,
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });

/** Asks a monitor something. */
export const ask = async (monitor: Monitor, path: string, asked: Asked = {}): Promise<Answer> => {
  const response = await begin(monitor, path, asked);
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return { code: response.statusCode!, headers: response.headers, text };
};

/** The cookie that a browser has after the monitor's URL was opened in it. */
export const cookieOf = async (monitor: Monitor, asked: Asked = {}): Promise<string> => {
  const { search } = new URL(monitor.url);
  const { headers } = await ask(monitor, `/${search}`, asked);
  return headers['set-cookie']![0]!.split(';')[0]!;
};

/** What events have of what specs look for. */
export interface Told {
  readonly event: string;
  readonly data: {
    readonly totals?: Readonly<Record<string, number>>;
    readonly nodes?: { readonly set?: readonly object[] };
    readonly ended?: readonly object[];
  };
}

/** The events that a viewer gets, one after the other. */
export async function* events(response: IncomingMessage): AsyncGenerator<Told, undefined> {
  let rest = '';
  for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) {
    rest += piece;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(rest.slice(0, end)) ?? [];
      rest = rest.slice(end + 2);
      if (event !== undefined) yield { event, data: JSON.parse(data!) };
    }
  }
}

/** The first event, from the next one on, for which something holds. */
export const until = async (
  told: AsyncGenerator<Told, undefined>,
  holds: (told: Told) => boolean,
): Promise<Told> => {
  for (;;) {
    const { value, done } = await told.next();
    if (done) throw new Error('The events ended before that.');
    if (holds(value!)) return value!;
  }
};
