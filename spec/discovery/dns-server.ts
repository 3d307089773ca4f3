import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

interface Packet {
  readonly id: number;
  readonly questions: readonly { readonly name: string; readonly type: string }[];
}

/** What is asked for, as dns-packet has it. */
export interface DnsRecord {
  readonly name: string;
  readonly type: 'SRV' | 'A' | 'AAAA';
  readonly data: unknown;
}

// It comes with bonjour-service and has no types of its own.
const packet = createRequire(import.meta.url)('dns-packet') as {
  readonly AUTHORITATIVE_ANSWER: number;
  decode(message: Buffer): Packet;
  encode(message: unknown): Buffer;
};

/** A real DNS server on loopback that knows the records of a list, which may change; asked about others it says NXDOMAIN. */
export async function startDns(records: DnsRecord[], { isMute = false } = {}) {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const { id, questions } = packet.decode(message);
    const [question] = questions;
    asked.push(`${question!.type} ${question!.name}`);
    if (isMute) return;
    const named = records.filter(({ name }) => name === question!.name);
    const answers = named.filter(({ type }) => type === question!.type);
    // The low bits are the response's code; 3 is NXDOMAIN.
    const flags = packet.AUTHORITATIVE_ANSWER | (named.length > 0 ? 0 : 3);
    socket.send(packet.encode({ type: 'response', id, flags, questions, answers }), port, address);
  });
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return {
    resolver,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        resolver.cancel();
        socket.close(resolve);
      }),
  };
}

/** An SRV record. */
export const srv = (name: string, target: string, port: number, priority = 0, weight = 0): DnsRecord => ({
  name,
  type: 'SRV',
  data: { target, port, priority, weight },
});
