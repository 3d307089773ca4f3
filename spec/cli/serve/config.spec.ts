import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, parse } from '../../../lib/cli/command.ts';
import { UsageError } from '../../../lib/cli/report.ts';
import { configText, givenConfig, parseConfig, wordsConfig } from '../../../lib/cli/serve/config.ts';
import { daemonOptionsOf } from '../../../lib/cli/serve/daemon-options.ts';
import { SERVE_ARGS, SERVE_OPTIONS } from '../../../lib/cli/serve/options.ts';
import type { ServeConfig } from '../../../lib/cli/serve/schema.ts';

const FILE = '/etc/offsite/serve.json';
const serve: Command = {
  name: 'serve',
  description: '',
  args: SERVE_ARGS,
  valuesLeftOut: { 'save-config': '-' },
  examples: [],
  run: async () => 0,
};
const typed = (...words: string[]): ServeConfig => givenConfig(parse(serve, words));
const filed = (values: unknown): ServeConfig => parseConfig(JSON.stringify(values), FILE);

/** The error of a wrong option, as its user reads it. */
const refusal = (use: () => unknown): string => {
  try {
    use();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return `${(error as UsageError).message} → ${(error as UsageError).remedy}`;
  }
  throw new Error('Nothing was refused.');
};

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((value) => !/\p{Cc}/u.test(value) && Buffer.from(value).toString() === value);
const path = fc
  .array(
    text.filter((part) => !part.includes('/') && part !== '.' && part !== '..'),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => `/${parts.join('/')}`);
const texts = fc.array(text, { minLength: 1, maxLength: 3 });
const clock = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
const address = fc
  .tuple(fc.constantFrom('gate', '10.0.0.1', '[::1]'), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `${host}:${port}`);
const seconds = fc.double({ min: 0.001, max: 2_000_000, noNaN: true });
const label = fc.oneof(
  fc.constantFrom('constructor', 'toString', 'a/b.c_d-e'),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,8}$/),
);

/** Any value of any option, as it is after it was read from a command line. */
const anyValue: {
  readonly [Key in keyof Required<ServeConfig>]: fc.Arbitrary<NonNullable<ServeConfig[Key]>>;
} = {
  cpus: fc.integer({ min: -64, max: 64 }),
  host: texts,
  'ext-ip-addr': texts,
  port: fc.nat(65_535),
  name: text,
  label: fc.dictionary(label, fc.oneof(fc.constant(''), text), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  }),
  'secret-file': path,
  certfile: path,
  keyfile: path,
  ca: path,
  'password-file': path,
  'dest-path-prefix': path,
  'max-file-size': fc
    .tuple(fc.nat(4_000), fc.constantFrom('', 'k', 'M', 'g', 't'))
    .map(([n, unit]) => `${n}${unit}`),
  'scheduler-host': fc.array(address, { minLength: 1, maxLength: 3 }),
  'zombie-interval': fc.double({ min: 0.001, max: 35_000, noNaN: true }),
  'msg-timeout': seconds,
  clean: fc.boolean(),
  'service-start': clock,
  'service-stop': clock,
  'service-end': clock,
  'time-zone': fc.constantFrom('UTC', 'Europe/Stockholm', 'Asia/Kolkata'),
  serve: fc.integer({ min: -1 }),
  'idle-exit': seconds,
  'restart-workers': fc.boolean(),
  init: path,
  uid: text,
  'pid-file': path,
  daemon: fc.boolean(),
  'log-file': path,
  json: fc.boolean(),
};

const wordsOf = (config: ServeConfig): string[] =>
  Object.entries(config).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return [value ? `--${name}` : `--no-${name}`];
    if (Array.isArray(value)) return value.map((each) => `--${name}=${String(each)}`);
    if (typeof value === 'object') return Object.entries(value).map(([key, of]) => `--${name}=${key}=${of}`);
    return [`--${name}=${value}`];
  });

/** Hours with one end only make no options, and are refused in both ways alike. */
const optionsOrRefusal = (config: ServeConfig): unknown => {
  try {
    return daemonOptionsOf(config);
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the configuration of offsite serve', () => {
  test('D13: a saved configuration gives back every option exactly, whatever was on the command line', () => {
    expect(Object.keys(anyValue).sort()).toEqual(Object.keys(SERVE_OPTIONS).sort());
    fc.assert(
      fc.property(fc.record(anyValue, { requiredKeys: [] }), (config) => {
        const given = wordsConfig(parse(serve, wordsOf(config)));
        expect(given).toEqual(config);
        const loaded = parseConfig(configText(given), FILE);
        expect(loaded).toEqual(config);
        expect(configText(loaded)).toBe(configText(given));
        expect(optionsOrRefusal(loaded)).toEqual(optionsOrRefusal(config));
      }),
    );
  });

  test('the command line beats the file, option by option, and can take a flag back', () => {
    const file = new URL('../fixtures/serve.json', import.meta.url).pathname;
    expect(typed('--config', file)).toMatchObject({ cpus: 2, 'restart-workers': true, host: ['0.0.0.0'] });
    expect(typed('--config', file, '--cpus', '-1', '--no-restart-workers', '--ip-addr', '::1')).toMatchObject(
      {
        cpus: -1,
        'restart-workers': false,
        host: ['::1'],
        name: 'of the file',
      },
    );
  });

  test('relative paths are those of the folder that says them', () => {
    expect(typed('--secret-file', 'keys')).toEqual({ 'secret-file': `${process.cwd()}/keys` });
    expect(filed({ 'secret-file': 'keys', init: '../init.js' })).toEqual({
      'secret-file': '/etc/offsite/keys',
      init: '/etc/init.js',
    });
  });

  test('options have the units of the command line, and a daemon those of its own', () => {
    const words = [
      '--max-file-size',
      '10m',
      '--zombie-interval',
      '0.5',
      '--msg-timeout',
      '2',
      '--idle-exit',
      '1.5',
    ];
    const options = daemonOptionsOf(
      typed(
        ...words,
        '--service-start',
        '6:00',
        '--service-end',
        '08:00',
        '--serve',
        '-1',
        '--label',
        'gpu=a=b',
      ),
    );
    expect(options).toEqual({
      maxFileSize: 10 * 2 ** 20,
      zombieInterval: 30_000,
      msgTimeout: 2_000,
      idleExit: 1_500,
      serviceHours: { start: '06:00', end: '08:00' },
      labels: { gpu: 'a=b' },
    });
    expect(daemonOptionsOf(typed('--max-file-size', '0'))).toEqual({});
    expect(daemonOptionsOf(filed({ 'max-file-size': 7, uid: 1000 }))).toEqual({
      maxFileSize: 7,
      uid: '1000',
    });
  });

  test('names of dispynode and ppserver are understood where they mean the same', () => {
    expect(
      typed('-c', '-2', '-i', '::1', '--ip-addr=10.0.0.1', '-p', '0', '-r', '-t', '60', '-P', '/run/pid'),
    ).toEqual({
      cpus: -2,
      host: ['::1', '10.0.0.1'],
      port: 0,
      'restart-workers': true,
      'idle-exit': 60,
      'pid-file': '/run/pid',
    });
  });

  test.each([
    [['--max-file-size', '10x'], 'The option --max-file-size is "10x", but must be a number of bytes', '10m'],
    [['--max-file-size', '9000000t'], 'larger than any file', 'Leave it out'],
    [['--cpus', '1.5'], 'The option --cpus is 1.5, but must be a whole number', '--cpus 4'],
    [['--cpus', 'two'], 'The option --cpus is "two"', '--cpus 4'],
    [['--cpus', '1e1'], 'The option --cpus is "1e1"', '--cpus 4'],
    [['--port', '65536'], 'from 0 to 65535', '--port 35000'],
    [['--label', 'gpu'], 'The option --label is "gpu", which has no =', '--label gpu=a100'],
    [['--label', 'a b=c'], 'The option --label is', '--label gpu=a100'],
    [['--zombie-interval', '0'], 'must be a number of minutes above 0', '--zombie-interval 60'],
    [['--zombie-interval', '99999999'], 'up to 35791', '--zombie-interval 60'],
    [['--serve', '-2'], 'must be at least 0, or -1 for no bound', '--serve 1'],
    [['--service-start', '24:00'], 'from 00:00 to 23:59', '--service-start 17:00'],
    [['--service-start', '17:00'], 'but --service-end is not', '--service-end 08:00'],
    [['--service-stop', '17:00'], '--service-stop is given, but --service-start is not', '--service-end'],
    [['--time-zone', 'Mars/Olympus'], 'must be a time zone', 'Europe/Stockholm'],
    [['--scheduler-host', 'gate:x'], 'but must be HOST[:PORT]', 'gate:35100'],
    [['--name', 'a\u001b[31m'], 'The option --name is', '--name bamse'],
    [['--config', '/nowhere.json'], '/nowhere.json can not be read', '--save-config'],
    [['--secret', 'hunter2'], 'There is no option --secret', '--help'],
  ])('%j is refused with its name and what is right', (words, message, remedy) => {
    const said = refusal(() => daemonOptionsOf(typed(...words)));
    expect(said).toContain(message);
    expect(said).toContain(remedy);
    expect(said).not.toContain('hunter2');
  });

  test.each([
    [{ cpus: '4' }, `"cpus" in ${FILE} is "4", but must be a whole number.`, '"cpus": 4'],
    [{ host: '0.0.0.0' }, `"host" in ${FILE} is "0.0.0.0", but must be a list of texts.`, '["0.0.0.0"]'],
    [{ label: { gpu: 1 } }, `"label" in ${FILE} is {"gpu":1}`, '"label": { "gpu": "a100" }'],
    [{ daemon: 'False' }, `"daemon" in ${FILE} is "False", but must be true or false.`, '"daemon": true'],
    [
      { max_file_size: '1m' },
      `no option "max_file_size" for a daemon, but ${FILE} has it`,
      '"max-file-size"',
    ],
    [{ colour: 'red' }, `no option "colour" for a daemon, but ${FILE} has it`, '--help'],
    [{ secret: 'hunter2' }, `no option "secret" for a daemon, but ${FILE} has it`, '"secret-file"'],
    [{ config: 'other.json' }, `no option "config" for a daemon, but ${FILE} has it`, '--help'],
    [[], `${FILE} holds [], but must hold an object`, '"cpus"'],
  ])(
    'the file %j is refused in one sentence with the key, the file and what is right',
    (values, message, remedy) => {
      const said = refusal(() => filed(values));
      expect(said).toContain(message);
      expect(said).toContain(remedy);
      expect(said).not.toContain('hunter2');
    },
  );

  test('a file that is no JSON is refused with the place', () => {
    expect(refusal(() => parseConfig('{ "cpus": 4, }', FILE))).toContain(`${FILE} is no JSON: `);
  });

  test('--save-config may stand without a file, wherever it stands', () => {
    const saved = (...words: string[]) => parse(serve, words).args['save-config'];
    expect(saved('--save-config')).toBe('-');
    expect(saved('--save-config', '--cpus', '2')).toBe('-');
    expect(saved('--save-config', 'node.json')).toBe('node.json');
    expect(saved('--save-config=node.json')).toBe('node.json');
  });
});
