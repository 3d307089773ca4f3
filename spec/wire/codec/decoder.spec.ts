import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBody } from '../../../lib/wire/codec/codec.ts';
import { UndecodableError, UnserializableError } from '../../../lib/wire/errors.ts';
import { byReference } from '../../../lib/wire/reference/reference.ts';
import { contextOf, decode, encode, roundTrip } from './there-and-back.ts';

/** A rich body whose text is given. */
const rich = (text: string, bytes: number[] = []) => {
  const size = new Uint8Array(new Float64Array([Buffer.byteLength(text)]).buffer);
  return Buffer.concat([Buffer.from([1]), size, Buffer.from(text), Buffer.from(bytes)]);
};

describe('a hostile body', () => {
  test.each([
    'null',
    '{}',
    '[[1],[{}]]',
    '[[-1],[{}]]',
    '[[0.5],[{}]]',
    '[[0,0],[{}]]',
    '[{},[]]',
    '[[0],[{"a":{}}]]',
    '[[0],[{"a":[9]}]]',
    '[[0],[5]]',
    '[[0],[null]]',
    '[[0],[[]]]',
    '[[0],[[99]]]',
    '[[0],[["0"]]]',
    '[[0],{"length":1e9}]',
    '[[0],[[1,-1]]]',
    '[[0],[[1,4294967296]]]',
    '[[0],[[1,3,5,1]]]',
    '[[0],[[1,3,1]]]',
    '[[0],[[1,3,"push",1]]]',
    '[[0],[[2,[]]]]',
    '[[0],[[3,1]]]',
    '[[0],[[5,"Process",{}]]]',
    '[[0],[[5,"__proto__",{}]]]',
    '[[0],[[5,{}]]]',
    '[[0],[[6]]]',
    '[[0],[[6,{}]]]',
    '[[0],[[6,{"classes":[1],"name":"","message":"","stack":"","own":{}}]]]',
    '[[0],[[6,{"classes":[],"name":"","message":"","stack":"","own":{},"errors":1}]]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[1]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[1e300]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[-1]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[[1,2,3]]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[[1]]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[[1,5]]]',
    '[[0],[[7,"Uint8Array",0,0,1]],[0]]',
    '[[0],[[7,"toString",0,0,0]],[0]]',
    '[[0],[[7,"SharedArrayBuffer",0]],[0]]',
    '[[0],[[7,"Uint8Array",3,0,0]],[0]]',
    '[[0],[[8,"reference","a",false]]]',
    '[[0],[[8,"reference",-1]]]',
    '[[0],[[8,"signal",-1,false,[0]]]]',
    '[[0],[[9,0]]]',
    '[[0],[[9,0]],[],{"json":{"length":1}}]',
    '[[0],[[9,0]],[],{"json":["x"]}]',
    '[[0],[[9,0]],[],{"json":["x"],"meta":{"values":{"0":["map"]}}}]',
    '[[0],[[9,0]],[],{"json":["x"],"meta":{"values":{"0":[["class","Process"]]}}}]',
    '[[0],[[9,0]],[],{"json":["x"],"meta":{"values":{"0":[["custom","constructor"]]}}}]',
    '[[0],[[9,0]],[],{"json":["/(/"],"meta":{"values":{"0":["regexp"]}}}]',
    '[[0],[[10,[0]]]]',
    '[[0],[[10,[1]],{}]]',
  ])('is an UndecodableError: %s', (text) => {
    expect(() => decode(rich(text))).toThrow(UndecodableError);
  });

  test('costs no memory by the sizes that it names', () => {
    const before = process.memoryUsage();
    const nodes = Array.from({ length: 50 }, () => '[1,33554431,5,1]').join();
    const back = decode(rich(`[[0],[[0,[1]],${nodes}]]`)) as unknown[][];
    expect(back[0]).toHaveLength(33554431);
    expect(back[0]![5]).toBe(1);
    const after = process.memoryUsage();
    expect(after.heapUsed - before.heapUsed).toBeLessThan(50_000_000);
  });

  test('that is nested without end costs no stack', () => {
    const plain = Buffer.from(`\0${'['.repeat(500_000)}${']'.repeat(500_000)}`);
    expect(() => decodeBody(plain, 0, plain.length, contextOf().context)).toThrow(UndecodableError);
    const chain = Array.from({ length: 100_000 }, (_, i) => `{"next":[${i + 1}]}`).join();
    expect(() => decode(rich(`[[0],[${chain},{}]]`))).toThrow(/deeper than 1000/);
    const live = Array.from({ length: 50_000 }, (_, i) => `[8,"signal",-1,false,[${i + 1}]]`).join();
    expect(() => decode(rich(`[[0],[${live},{}]]`))).toThrow(UndecodableError);
  });

  test('changes no prototype, whatever it asks for', () => {
    const slots = '{"__proto__":[1],"constructor":[1]}';
    const pollution = '{"polluted":1}';
    for (const node of [
      slots,
      `[2,${slots}]`,
      `[6,{"classes":["Error"],"name":"","message":"","stack":"","own":${slots}}]`,
    ]) {
      const back = decode(rich(`[[0],[${node},${pollution}]]`)) as object;
      expect(Object.hasOwn(back, '__proto__')).toBe(true);
      expect((back as { polluted?: unknown }).polluted).toBeUndefined();
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('is a value or an UndecodableError, whichever of its bytes are changed', () => {
    const shared = new Uint8Array([1, 2, 3, 4]);
    const good = [
      encode({ a: [shared, shared.buffer], b: [1n, new Date(1), /x/], c: new Map([[1, new Set([shared])]]) }),
      encode([
        new AggregateError([new TypeError('m')], 'm', { cause: { a: new Array(2).fill(1, 1) } }),
        () => 1,
        Object(1),
      ]),
      encode({ id: 17, args: [1, 'two', null] }),
    ];
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('[]{},:"0123456789-'))),
    );
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.array(change, { maxLength: 6, minLength: 1 }),
        (which, changes) => {
          const body = Buffer.from(good[which]!);
          for (const [at, to] of changes) body[at % body.length] = to;
          try {
            decode(body, contextOf({ importValue: () => 1 }).context);
          } catch (error) {
            expect(error).toBeInstanceOf(UndecodableError);
          }
        },
      ),
      { numRuns: 4_000 },
    );
  });
});

describe('a live value', () => {
  const signal = byReference({});
  const twoWay = (value: unknown, kind = 'signal') => {
    const imported: unknown[] = [];
    const context = contextOf({
      exportValue: () => ({ kind, id: -1, home: false, value }),
      importValue: (record) => imported.push(structuredClone(record)) && record.value,
    });
    return { ...context, imported };
  };

  test('has what goes with it when it is introduced, however that is shared', () => {
    const reason = { why: [1n, new Map([['k', [new Date(1)]]])] };
    for (const value of [
      [signal, reason],
      [reason, signal],
      [[signal], signal],
    ]) {
      const { context, imported } = twoWay(reason);
      roundTrip(value, context);
      expect(imported).toEqual([{ kind: 'signal', id: -1, home: false, value: reason }]);
    }
  });

  test('is withdrawn if what goes with it can not be sent', () => {
    const { context, withdrawn } = twoWay({ deep: Symbol('no') });
    expect(() => encode({ signal }, context)).toThrow(/value\.signal\.value\.deep is a symbol/);
    expect(withdrawn).toEqual([-1]);
  });

  test('in a part that an error leaves out is withdrawn at once', () => {
    const { context, withdrawn, values } = contextOf();
    const error = Object.assign(new Error('m'), { bad: [() => 1, Symbol('no')], good: () => 2 });
    const back = roundTrip(error, context);
    expect(withdrawn).toEqual([-1]);
    expect(values).toHaveLength(2);
    expect('bad' in back).toBe(false);
    expect(back.good()).toBe(2);
  });

  test('that is a result comes to its place when it is there', async () => {
    const { context, later } = contextOf({
      exportValue: () => ({ kind: 'result', id: 5, home: true }),
      importValue: () => Promise.resolve('late'),
    });
    const back = roundTrip(
      {
        list: [1, signal, 3],
        map: new Map<string, unknown>([
          ['k', signal],
          ['l', 1],
        ]),
        own: { signal, z: 1 },
      },
      context,
    );
    expect(back.list).toEqual([1, undefined, 3]);
    expect(Object.keys(back.own)).toEqual(['signal', 'z']);
    expect([...back.map.keys()]).toEqual(['k', 'l']);
    await Promise.all(later);
    expect(back).toEqual({
      list: [1, 'late', 3],
      map: new Map<string, unknown>([
        ['k', 'late'],
        ['l', 1],
      ]),
      own: { signal: 'late', z: 1 },
    });
    expect(() => encode(new Set([signal]), context)).toThrow(UnserializableError);
    expect(() => encode(new Map([[signal, 1]]), context)).toThrow(/keys\(\)\[0\].*await it first/);
  });
});
