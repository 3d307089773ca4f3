import { describe, expect, test } from 'vitest';
import { arrivedFrom } from '../../../lib/wire/codec/remote-error.ts';
import { nameError, UnserializableError } from '../../../lib/wire/errors.ts';
import { pair, rejection, settled } from '../pair.ts';

/** Throws something over there and gives what arrives here. */
const thrown = (error: unknown) =>
  rejection(
    pair({
      fail() {
        throw error;
      },
    }).remote.fail(),
  );

class QuotaError extends RangeError {
  override name = 'QuotaError';
  code = 'E_QUOTA';
  used = { bytes: 11n };
}

describe('an error from another site', () => {
  test.each([
    new Error('m'),
    new TypeError('m'),
    new RangeError('m'),
    new SyntaxError('m'),
    new ReferenceError('m'),
    new EvalError('m'),
    new URIError('m'),
  ])('is of its built-in class: %s', async (error) => {
    const arrived = await thrown(error);
    expect(arrived.constructor).toBe(error.constructor);
    expect(arrived).toMatchObject({ name: error.name, message: 'm', site: 'far' });
    expect(Object.keys(arrived)).toEqual([]);
  });

  test('of ours is of its class again, with what belongs to it', async () => {
    const arrived = await thrown(new UnserializableError('m', 'a.b'));
    expect(arrived).toBeInstanceOf(UnserializableError);
    expect(arrived).toMatchObject({ code: 'ERR_OFFSITE_UNSERIALIZABLE', path: 'a.b' });
  });

  test('of an unknown class is of the nearest known one, under its own name and with its own properties', async () => {
    const arrived = await thrown(new QuotaError('m'));
    expect(arrived).toBeInstanceOf(RangeError);
    expect(arrived).toMatchObject({
      name: 'QuotaError',
      message: 'm',
      code: 'E_QUOTA',
      used: { bytes: 11n },
    });
    expect(String(arrived)).toBe('QuotaError: m');
  });

  test('of a registered class is of that class', async () => {
    class ParseError extends Error {
      get kind() {
        return 'parse';
      }
    }
    nameError(ParseError, 'ParseError');
    const arrived = await thrown(new ParseError('m'));
    expect(arrived).toBeInstanceOf(ParseError);
    expect(arrived.kind).toBe('parse');
  });

  test('has its cause, and the cause of that', async () => {
    const arrived = await thrown(new Error('a', { cause: new TypeError('b', { cause: { c: 1n } }) }));
    const cause = arrived.cause as Error;
    expect(cause).toBeInstanceOf(TypeError);
    expect([cause.message, cause.cause]).toEqual(['b', { c: 1n }]);
  });

  test('that is its own cause arrives', async () => {
    const error = new Error('round');
    error.cause = error;
    expect((await thrown(error)).message).toBe('round');
  });

  test('has what its properties share, within it and with other errors', async () => {
    const [shared, cause] = [{ left: undefined }, new RangeError('why')];
    const error = Object.assign(new Error('parts', { cause }), { first: shared, all: [shared, cause] });
    const arrived = (await thrown(error)) as unknown as typeof error;
    expect(arrived.first).toEqual({ left: undefined });
    expect(arrived.all[0]).toBe(arrived.first);
    expect(arrived.all[1]).toBeInstanceOf(RangeError);
  });

  test('has the errors that it gathers', async () => {
    const arrived = await thrown(new AggregateError([new SyntaxError('first'), 'second'], 'both'));
    expect(arrived).toBeInstanceOf(AggregateError);
    const [first, second] = arrived.errors as [Error, string];
    expect(first).toBeInstanceOf(SyntaxError);
    expect(second).toBe('second');
  });

  test('shows where it was thrown and where it was called', async () => {
    const { remote } = pair({
      fail: function failsOverThere() {
        throw new Error('m');
      },
    });
    const callsFromHere = async () => await rejection(remote.fail());
    const { stack } = await callsFromHere();
    expect(stack).toMatch(/failsOverThere[\s\S]*--- called from here ---[\s\S]*callsFromHere/);
  });

  test('keeps the site where it came from when it passes through another', () => {
    const error = arrivedFrom(new Error('m'), 'inner', '') as Error & { site: string };
    expect((arrivedFrom(error, 'outer', '') as typeof error).site).toBe('inner');
  });

  test('whose getter throws arrives, and says so there', async () => {
    const error = Object.defineProperties(new Error('m'), {
      details: {
        enumerable: true,
        get() {
          throw new Error('no details');
        },
      },
    });
    const arrived = await thrown(error);
    expect(arrived.message).toBe('m');
    expect(arrived.details).toMatch(/no details/);
  });

  test.each(['message', 'name', 'stack', 'cause', 'errors'])('whose %s throws arrives', async (key) => {
    const error = Object.defineProperty(new TypeError('m'), key, {
      get() {
        throw new Error('hidden');
      },
    });
    expect(await thrown(error)).toBeInstanceOf(TypeError);
  });

  test('leaves out properties that can not be sent, and turns such a cause into text', async () => {
    const cause = { toString: () => 'a strange cause', part: Symbol('no') };
    const arrived = await thrown(Object.assign(new Error('m', { cause }), { bad: Symbol('no'), good: 1 }));
    expect(arrived).toMatchObject({ message: 'm', good: 1, cause: 'a strange cause' });
    expect('bad' in arrived).toBe(false);
  });

  test('has functions among its properties as references', async () => {
    const arrived = await thrown(Object.assign(new Error('m'), { retry: () => 'again' }));
    expect(await (arrived.retry as () => Promise<string>)()).toBe('again');
  });

  test.each<[string, unknown]>([
    ['text', 'a bare string'],
    ['undefined', undefined],
    ['null', null],
    ['an object', { code: 7n }],
    ['a number', 0],
  ])('that is none is thrown as it is: %s', async (_name, value) => {
    expect(await thrown(value)).toEqual(value);
  });

  test('that is none and can not be sent arrives as an error that shows it', async () => {
    const arrived = await thrown(Symbol('lost'));
    expect(arrived).toBeInstanceOf(Error);
    expect(arrived.message).toMatch(/Symbol\(lost\)/);
  });

  test('as a result or an argument is a value like others', async () => {
    const { remote } = pair({
      echo: (value: unknown) => value,
      isError: (value: unknown) => value instanceof RangeError,
    });
    expect(await remote.isError(new RangeError('m'))).toBe(true);
    const back = await remote.echo({ last: new QuotaError('m') });
    expect(back.last).toMatchObject({ name: 'QuotaError', code: 'E_QUOTA' });
    expect('site' in back.last).toBe(false);
    await settled();
  });
});
