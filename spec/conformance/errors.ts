import { describe, expect, test } from 'vitest';
import { type Bench, type Calc, fixture, type Misbehave, rejection } from '../support/sites.ts';

/** Errors that cross, and values that cannot. */
export function errors(bench: Bench): void {
  const misbehave = async () => bench.site().link<Misbehave>(fixture('misbehave.js'));
  const calc = async () => bench.site().link<Calc>(fixture('calc.js'));

  describe('errors', () => {
    test('an error of a class of its own keeps name, message, code, cause, own properties and stack', async () => {
      const error = await rejection((await misbehave()).throwQuota());
      expect(error).toBeInstanceOf(Error);
      expect(error.name).toBe('QuotaError');
      expect(error.message).toBe('The quota of 10 is used up.');
      expect(error.code).toBe('E_QUOTA');
      expect(error.used).toBe(11);
      expect(error.cause).toBeInstanceOf(RangeError);
      expect((error.cause as Error).message).toBe('11 is more than 10');
      expect(error.stack).toMatch(/misbehave\.js:\d+/);
    });

    test('an error of a built-in class is of that class here', async () => {
      const error = await rejection((await misbehave()).throwTypeError());
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toBe('That is no number.');
    });

    test('an error says which site it came from', async () => {
      const error = await rejection((await misbehave()).throwTypeError());
      expect(JSON.stringify(error.site)).toContain(bench.site().name);
    });

    test('an AggregateError keeps its errors', async () => {
      const error = await rejection((await misbehave()).throwAggregate());
      expect(error).toBeInstanceOf(AggregateError);
      const [first, second] = error.errors as Error[];
      expect(first).toBeInstanceOf(SyntaxError);
      expect(second!.message).toBe('second');
    });

    test('a thrown value that is no error rejects with something that says it', async () => {
      const thrown: unknown = await rejection((await misbehave()).throwString());
      expect(thrown instanceof Error ? thrown.message : thrown).toContain('a bare string');
    });

    test('calling what the module does not export says so', async () => {
      const remote = (await calc()) as unknown as { nothingOfTheKind(): Promise<void> };
      const error = await rejection(remote.nothingOfTheKind());
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/nothingOfTheKind/);
    });

    test('an argument that cannot be sent is refused with its path, nothing is sent, and the site lives', async () => {
      const remote = await calc();
      const before = (await remote.hit()).hits;
      const hit = remote.hit as unknown as (value: unknown) => Promise<unknown>;
      const error = await rejection(hit({ rows: [1, { id: Symbol('no') }] }));
      expect(error.code).toBe('ERR_OFFSITE_UNSERIALIZABLE');
      expect(error.path).toMatch(/rows\[1\]\.id/);
      expect((await remote.hit()).hits).toBe(before + 1);
    });

    test('an instance of a class that nobody registered is refused, not emptied', async () => {
      class Secret {
        #value = 1;
        reveal(): number {
          return this.#value;
        }
      }
      const error = await rejection((await calc()).echo(new Secret()));
      expect(error.code).toBe('ERR_OFFSITE_UNSERIALIZABLE');
      expect(error.message).toMatch(/Secret/);
    });

    test('a result that cannot be sent rejects that one call, with its path, and the site lives', async () => {
      const error = await rejection((await misbehave()).giveSymbol());
      expect(error.code).toBe('ERR_OFFSITE_UNSERIALIZABLE');
      expect(error.path).toMatch(/rows\[1\]\.id/);
      expect(await (await calc()).add(1, 1)).toBe(2);
    });
  });
}
