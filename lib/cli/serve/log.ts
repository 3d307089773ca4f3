import process from 'node:process';
import type { DaemonEnd, DaemonEvents } from '../../../actors/daemon/events.ts';
import { printable } from '../daemon/columns.ts';
import { durationText } from '../detached/table.ts';
import { counted, messageOf } from '../report.ts';

/** Where the events of a daemon come from. */
export interface EventSource {
  on<Name extends keyof DaemonEvents>(name: Name, listener: (...told: DaemonEvents[Name]) => void): unknown;
}

const endText = (end: DaemonEnd): string => {
  switch (end.why) {
    case 'stopped':
      return 'has ended';
    case 'killed':
      return 'has ended, and has killed what ran';
    case 'served':
      return 'has ended: it has served as many clients as it was to';
    case 'idle':
      return 'has ended: it had no client for as long as it was to bear that';
    case 'failed':
      return `could not serve: ${messageOf(end.cause)}`;
  }
};

const STATES = {
  serving: 'serves',
  draining: 'drains: nothing more is started',
  closed: 'is closed until its service hours begin',
} as const;

/** What is said of each event; nothing for what people need not read. */
const TEXTS: {
  readonly [Name in keyof DaemonEvents]: (name: string, ...told: DaemonEvents[Name]) => string | undefined;
} = {
  state: (name, state) => `${name} ${STATES[state]}`,
  cpus: (name, cpus) => `${name} has ${counted(cpus, 'cpu')}`,
  client: (_, { user, from }) => `${user} has come from ${from}`,
  clientGone: (_, { user, from, sites }) => `${user} from ${from} has gone, after ${counted(sites, 'site')}`,
  site: (_, { user, name, pid, folder, bridge }) =>
    bridge ? undefined : `${name} of ${user} runs (pid ${pid}) in ${folder}`,
  siteEnded: (_, { user, name, pid, after }) =>
    `${name} of ${user} (pid ${pid}) has ended after ${durationText(after)}`,
  refused: (_, { user, from, name, what }) => `${name} of ${user} from ${from} was refused: ${what}`,
  leftovers: (_, count) => `removed the folders of ${counted(count, 'site')} that a killed daemon had left`,
  folderLeft: (_, { folder, cause }) => `${folder} could not be removed: ${messageOf(cause)}`,
  stranger: (_, { user, from, path, what }) => `${user} from ${from} was turned away from ${path}: ${what}`,
  scheduler: (_, line) => line,
  uncontrolled: (name, cause) => `${name} can be steered by signals and from afar only: ${messageOf(cause)}`,
  unannounced: (name, cause) => `${name} is not announced everywhere: ${messageOf(cause)}`,
  ended: (name, end) => `${name} ${endText(end)}`,
};

const jsonOf = (told: object): object => {
  if (told instanceof Error) return { message: messageOf(told) };
  const { cause, ...rest } = told as { cause?: unknown };
  return { ...rest, ...(cause !== undefined && { message: messageOf(cause) }) };
};

/** What is told by one word or number, under which name JSON has it. */
const VALUES: Readonly<Record<string, string>> = {
  state: 'state',
  cpus: 'cpus',
  leftovers: 'sites',
  scheduler: 'line',
};

/** The same as a line of JSON. */
export const eventJson = (event: keyof DaemonEvents, told: unknown, at: number): string => {
  const facts = Object.hasOwn(VALUES, event) ? { [VALUES[event]!]: told } : jsonOf(told as object);
  return JSON.stringify({ event, at, ...facts });
};

/** The same as a line for people; nothing for what they need not read. */
export const eventLine = <Name extends keyof DaemonEvents>(
  daemon: string,
  event: Name,
  ...told: DaemonEvents[Name]
): string | undefined => {
  const text = TEXTS[event](daemon, ...told);
  return text === undefined ? undefined : printable(text);
};

/** What writes the events of a daemon. */
export interface EventLog {
  /** Writes what has happened until now, and from now on what happens when it happens. */
  begin(): void;
}

/**
 * Writes what happens in a daemon: lines for people on stderr, or of JSON on stdout. What happens before `begin()` is kept
 * until then, because the first line says that it serves. `dated` is for a log that is kept.
 */
export const logEvents = (
  source: EventSource,
  name: string,
  { json, dated }: { json: boolean; dated: boolean },
): EventLog => {
  let held: (() => void)[] | undefined = [];
  const follow = <Name extends keyof DaemonEvents>(event: Name) =>
    source.on(event, (...told) => {
      const now = Date.now();
      const write = () => {
        if (json) return void process.stdout.write(`${eventJson(event, told[0], now)}\n`);
        const line = eventLine(name, event, ...told);
        const date = dated ? `${new Date(now).toISOString()} ` : '';
        if (line !== undefined) process.stderr.write(`offsite: ${date}${line}\n`);
      };
      // That it serves is what the first line says.
      if (held && !(event === 'state' && told[0] === 'serving')) held.push(write);
      else if (!held) write();
    });
  for (const event of Object.keys(TEXTS) as (keyof DaemonEvents)[]) follow(event);
  return {
    begin: () => {
      const before = held ?? [];
      held = undefined;
      for (const write of before) write();
    },
  };
};
