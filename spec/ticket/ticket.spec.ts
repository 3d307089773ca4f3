import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TicketError } from '../../lib/ticket/errors.ts';
import { newPass } from '../../lib/ticket/keys.ts';
import { parseTicket, type Ticket, ticketText } from '../../lib/ticket/ticket.ts';

const ticket: Ticket = {
  kind: 'site',
  folder: '/run/user/1000/offsite/0123456789ab',
  ...newPass(),
  name: 'crawler',
};

const reasonOf = (text: unknown): unknown => {
  try {
    parseTicket(text as string);
  } catch (error) {
    expect(error).toBeInstanceOf(TicketError);
    expect(error).toMatchObject({ code: 'ERR_OFFSITE_TICKET' });
    return (error as TicketError).reason;
  }
  return 'read';
};

/** A text that is whole, and says something else. */
const sealed = (said: string): string => {
  const check = createHash('sha256').update(said).digest().subarray(0, 4);
  return `offsite-ticket:${Buffer.concat([Buffer.from(said), check]).toString('base64url')}`;
};

describe('the text of a ticket', () => {
  test.each([
    [ticket],
    [{ ...ticket, kind: 'offer' as const, host: 'ada@bamse:2222' }],
    [{ ...ticket, host: 'box', fork: ['docker', 'exec', '-i', '{host}'], name: 'Überwachung' }],
  ])('says what went into it: %j', (said) => {
    expect(parseTicket(ticketText(said))).toEqual(said);
    expect(parseTicket(`  ${ticketText(said)}\n`)).toEqual(said);
  });

  test('is one word, for files and mails', () => {
    expect(ticketText(ticket)).toMatch(/^offsite-ticket:[\w-]+$/);
  });

  test('that was damaged anywhere is malformed, and never taken for another one', () => {
    const text = ticketText(ticket);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A';
      expect(reasonOf(text.slice(0, at) + other + text.slice(at + 1)), `changed at ${at}`).toBe('malformed');
      expect(reasonOf(text.slice(0, at)), `cut at ${at}`).toBe('malformed');
    }
  });

  test.each([
    [undefined],
    [''],
    ['offsite-ticket:'],
    ['x-ozticket://127.0.0.1:9000'],
    [`offsite-ticket:${'A'.repeat(100_000)}`],
    [ticketText({ ...ticket, key: 'c2hvcnQ' })],
    [ticketText({ ...ticket, id: '../../../etc' })],
    [ticketText({ ...ticket, kind: 'door' as 'site' })],
    [ticketText({ ...ticket, fork: [1] as never })],
    [ticketText({ ...ticket, v: 2 } as Ticket)],
    [sealed('null')],
    [sealed('7')],
  ])('is malformed if it says what none can: %j', (text) => {
    expect(reasonOf(text)).toBe('malformed');
  });
});
