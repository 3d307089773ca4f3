import { describe, expect, test } from 'vitest';
import {
  faultOfHours,
  opensAt,
  type ServiceHours,
  serviceAt,
  writtenMoment,
} from '../../lib/daemon/service-hours.ts';

const STEP = 5 * 60_000;
const at = (text: string): number => Date.parse(text);

/** Every change of state between two moments, found by a look every five minutes. */
const changes = (hours: ServiceHours, from: string, to: string): string[] => {
  const found: string[] = [];
  let last = serviceAt(hours, at(from)).state;
  for (let now = at(from) + STEP; now <= at(to); now += STEP) {
    const { state } = serviceAt(hours, now);
    if (state !== last) found.push(`${new Date(now).toISOString().slice(0, 16)} ${state}`);
    last = state;
  }
  return found;
};

/** The same, by what each moment says of the next change. */
const announced = (hours: ServiceHours, from: string, to: string): string[] => {
  const found: string[] = [];
  let { next } = serviceAt(hours, at(from));
  while (next && next.at <= at(to)) {
    found.push(`${new Date(next.at).toISOString().slice(0, 16)} ${next.state}`);
    next = serviceAt(hours, next.at).next;
  }
  return found;
};

const both = (hours: ServiceHours, from: string, to: string): string[] => {
  const seen = changes(hours, from, to);
  expect(announced(hours, from, to)).toEqual(seen);
  return seen;
};

describe('Service hours', () => {
  test('D6. a window past midnight serves, drains, is closed, and serves again the next day', () => {
    const hours = { start: '17:00', stop: '06:00', end: '08:00', timeZone: 'UTC' };
    expect(serviceAt(hours, at('2026-06-01T12:00Z'))).toEqual({
      state: 'closed',
      next: { at: at('2026-06-01T17:00Z'), state: 'serving' },
    });
    expect(both(hours, '2026-06-01T12:00Z', '2026-06-03T09:00Z')).toEqual([
      '2026-06-01T17:00 serving',
      '2026-06-02T06:00 draining',
      '2026-06-02T08:00 closed',
      '2026-06-02T17:00 serving',
      '2026-06-03T06:00 draining',
      '2026-06-03T08:00 closed',
    ]);
    expect(serviceAt(hours, at('2026-06-02T00:00Z')).state).toBe('serving');
  });

  test('a window within a day that only ends has no draining', () => {
    const hours = { start: '09:00', end: '17:00', timeZone: 'Asia/Kolkata' };
    expect(both(hours, '2026-06-01T00:00Z', '2026-06-02T00:00Z')).toEqual([
      '2026-06-01T03:30 serving',
      '2026-06-01T11:30 closed',
    ]);
  });

  test('on the day on which clocks are put forward, a time that is left out is taken by the offset before', () => {
    // 02:00 becomes 03:00 at 01:00Z.
    const hours = { start: '02:30', end: '05:00', timeZone: 'Europe/Berlin' };
    expect(both(hours, '2026-03-28T00:00Z', '2026-03-30T06:00Z')).toEqual([
      '2026-03-28T01:30 serving',
      '2026-03-28T04:00 closed',
      '2026-03-29T01:30 serving',
      '2026-03-29T03:00 closed',
      '2026-03-30T00:30 serving',
      '2026-03-30T03:00 closed',
    ]);
  });

  test('on the day on which clocks are put back, a time that comes twice counts once', () => {
    // 03:00 becomes 02:00 at 01:00Z.
    const hours = { start: '20:00', end: '02:30', timeZone: 'Europe/Berlin' };
    expect(both(hours, '2026-10-24T12:00Z', '2026-10-26T12:00Z')).toEqual([
      '2026-10-24T18:00 serving',
      '2026-10-25T00:30 closed',
      '2026-10-25T19:00 serving',
      '2026-10-26T01:30 closed',
    ]);
  });

  test('a window that clocks leave out altogether is passed over', () => {
    const hours = { start: '02:10', end: '03:05', timeZone: 'Europe/Berlin' };
    expect(both(hours, '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '2026-03-30T00:10 serving',
      '2026-03-30T01:05 closed',
    ]);
  });

  test('say when they open again, as people there read it', () => {
    const hours = { start: '17:00', stop: '06:00', end: '08:00', timeZone: 'America/New_York' };
    const draining = at('2026-06-02T10:30Z');
    expect(serviceAt(hours, draining).state).toBe('draining');
    expect(writtenMoment(opensAt(hours, draining)!, hours.timeZone)).toBe(
      '2026-06-02 17:00 (America/New_York)',
    );
    expect(serviceAt(undefined, draining)).toEqual({ state: 'serving' });
  });

  test('that can not be meant are named', () => {
    expect(faultOfHours({ start: '17:00', stop: '06:00', end: '08:00' })).toBeUndefined();
    expect(faultOfHours({ start: '9:00', end: '17:00' })).toMatchObject({ field: 'start' });
    expect(faultOfHours({ start: '09:00', end: '24:00' })).toMatchObject({ field: 'end' });
    expect(faultOfHours({ start: '09:00', end: '09:00' })).toMatchObject({ field: 'end' });
    expect(faultOfHours({ start: '09:00', stop: '18:00', end: '17:00' })).toMatchObject({ field: 'stop' });
    expect(faultOfHours({ start: '09:00', end: '17:00', timeZone: 'Mars/Base' })).toMatchObject({
      field: 'timeZone',
    });
  });
});
