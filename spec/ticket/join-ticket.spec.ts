import { describe, expect, test } from 'vitest';
import { type JoinTicket, joinTicketText, parseJoinTicket } from '../../lib/ticket/join-ticket.ts';
import { newPass } from '../../lib/ticket/keys.ts';
import { sealed } from '../../lib/ticket/sealed-text.ts';
import { parseTicket, ticketText } from '../../lib/ticket/ticket.ts';

const ticket: JoinTicket = { host: '::1', port: 9009, ...newPass(), name: 'the cluster' };

describe('the text of a ticket by which sites join', () => {
  test('says what went into it, in one word', () => {
    expect(joinTicketText(ticket)).toMatch(/^offsite-ticket:[\w-]+$/);
    expect(parseJoinTicket(`${joinTicketText(ticket)}\n`)).toEqual(ticket);
  });

  test('is not taken for that of a site or a value, nor these for it', () => {
    expect(() => parseTicket(joinTicketText(ticket))).toThrow('offsite join takes it');
    const site = ticketText({ kind: 'site', folder: '/run', ...newPass(), name: 'crawler' });
    expect(() => parseJoinTicket(site)).toThrow('it is for a detached site');
    const offer = ticketText({ kind: 'offer', folder: '/run', ...newPass(), name: 'value' });
    expect(() => parseJoinTicket(offer)).toThrow('it is for an offered value');
  });

  test.each([
    [{ port: 0 }],
    [{ port: 65_536 }],
    [{ port: '9009' }],
    [{ host: '' }],
    [{ key: 'c2hvcnQ' }],
    [{ id: undefined }],
    [{ name: '' }],
    [{ kind: 'else' }],
  ])('is malformed with %j', (wrong) => {
    expect(() => parseJoinTicket(sealed({ kind: 'join', ...ticket, ...wrong }))).toThrow(
      'something that a ticket says is missing in it',
    );
  });
});
