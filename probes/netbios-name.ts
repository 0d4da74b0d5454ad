/**
 * NetBIOS node status (NBSTAT), over UDP: asks a machine for the table of its names. Who answers has NetBIOS over TCP/IP
 * running; the table names the computer, its domain and whether it serves files. Silence is common: it is often switched
 * off. RFC 1002 sections 4.2.17 (request) and 4.2.18 (response).
 */
import * as v from 'valibot';
import { answered, declined, type Evidence } from '../src/model/outcome.ts';
import { defineProbe } from '../src/model/probe.ts';
import { accepting } from '../src/wire/datagram.ts';
import { decodeName } from '../src/wire/dns-name.ts';
import { encodeNetbiosName, suffixes } from '../src/wire/netbios-name.ts';
import { DecodeError, Reader } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

const headerLength = 12;
const response = 0x8000;
const resultMask = 0x000f;
const nodeStatus = 0x0021;
const internet = 0x0001;
const group = 0x8000;
const nameLength = 15;
const maxNames = 64;

/** Samba puts this mark into every table; it is nobody's name. */
const sambaMark = '__SAMBA__';

interface NodeName {
  readonly name: string;
  readonly suffix: number;
  readonly isGroup: boolean;
}

export interface NodeStatus {
  readonly transactionId: number;
  /** 0 when there is a table. */
  readonly resultCode: number;
  readonly names: readonly NodeName[];
  /** Six bytes that the server claims as its MAC address; zero on some servers. */
  readonly unitId: Uint8Array;
}

/* | id | flags | 1 question | 0 | 0 | 0 | the name "*", padded with NULs | type NBSTAT | class IN |     two bytes each */
function encodeRequest(transactionId: number): Uint8Array {
  const header = Buffer.alloc(headerLength);
  header.writeUInt16BE(transactionId, 0);
  header.writeUInt16BE(1, 4);
  const question = Uint8Array.from([0, nodeStatus, 0, internet]);
  return Buffer.concat([header, encodeNetbiosName('*', 0, '\0'), question]);
}

/* | id | flags | 0 | 1 answer | 0 | 0 | name | type | class | ttl 4 | length | count 1 | (name 15, suffix 1, flags 2)* | unit id 6 | … */
export function decodeResponse(bytes: Uint8Array): NodeStatus {
  const header = new Reader(bytes);
  const transactionId = header.uint16();
  const flags = header.uint16();
  if ((flags & response) === 0) throw new DecodeError('a question where the answer belongs', 2);
  header.uint16();
  const answers = header.uint16();
  header.uint32();
  const resultCode = flags & resultMask;
  if (resultCode !== 0) return { transactionId, resultCode, names: [], unitId: new Uint8Array(6) };
  if (answers !== 1) throw new DecodeError(`${answers} answers where 1 belongs`, 6);

  const { next } = decodeName(bytes, headerLength);
  const record = new Reader(bytes.subarray(next));
  const type = record.uint16();
  if (type !== nodeStatus) throw new DecodeError(`record type ${type} where ${nodeStatus} belongs`, next);
  record.bytes(6);
  const table = new Reader(record.bytes(record.uint16()));
  const count = table.uint8();
  if (count > maxNames) throw new DecodeError(`${count} names`, next + 10);
  const names: NodeName[] = [];
  for (let i = 0; i < count; i++) {
    const name = printable(table.bytes(nameLength)).trim();
    names.push({ name, suffix: table.uint8(), isGroup: (table.uint16() & group) !== 0 });
  }
  return { transactionId, resultCode, names, unitId: table.bytes(6) };
}

export const netbiosName = defineProbe({
  transport: 'udp',
  port: 137,
  about: {
    title: 'NetBIOS name service',
    sends: 'one node status request for any name, sent again once',
    proves: 'a table of names under our transaction id',
    client: 'winbind of Samba 4, where it looks for a domain by its NetBIOS name',
    leaves: 'nothing',
    reference: 'RFC 1002, 4.2.17',
  },
  options: v.strictObject({}),

  async run(io) {
    const id = new Reader(io.random(2)).uint16();
    const accepts = accepting(decodeResponse, (status) => status.transactionId === id);
    const status = decodeResponse((await io.exchange(encodeRequest(id), accepts, { maxSends: 2 })).bytes);
    if (status.resultCode !== 0) {
      return declined(`the name service refuses: result ${status.resultCode}`);
    }
    const evidence = evidenceOf(status);
    const { computer, domain } = evidence;
    return answered(`${computer ?? 'a nameless machine'} in ${domain ?? 'no domain'}`, evidence);
  },
});

function evidenceOf({
  names,
  unitId,
}: NodeStatus): Evidence & { readonly computer: string | null; readonly domain: string | null } {
  const named = (suffix: number, isGroup: boolean): string | null =>
    names.find((entry) => entry.suffix === suffix && entry.isGroup === isGroup && entry.name !== sambaMark)?.name ??
    null;
  return {
    computer: named(suffixes.workstation, false),
    domain: named(suffixes.domainControllers, true) ?? named(suffixes.workstation, true),
    fileService: named(suffixes.fileServer, false) !== null,
    domainController: named(suffixes.domainControllers, true) !== null,
    mac: unitId.every((byte) => byte === 0)
      ? null
      : [...unitId].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    names: names.map(({ name, suffix }) => `${name}<${suffix.toString(16).padStart(2, '0')}>`),
  };
}
