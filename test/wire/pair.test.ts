/** The messages of two ends: both codecs, ours and the Python one's, are held to the same bytes. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tagWith } from '../../src/net/crypto.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  framed,
  leastSize,
  messageTypes,
  newRequest,
  proofs,
  replySize,
  type Reply,
  type Request,
} from '../../src/wire/pair.ts';
import { pythonSource } from '../../src/respond/python.ts';
import { python } from '../support/respond.ts';

interface Vector {
  readonly name: string;
  readonly key: string;
  readonly message: string;
  readonly request?: Written<Request>;
  readonly reply?: Written<Reply>;
}

/** Bytes are written in hex. */
type Written<T> = Omit<T, 'nonce' | 'challenge'> & { readonly nonce: string; readonly challenge: string };

const vectors = globSync('fixtures/wire/pair/*.json')
  .toSorted()
  .map((file) => Object.assign(JSON.parse(readFileSync(file, 'utf8')) as Vector, { name: basename(file, '.json') }));
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const read = <T>(value: Written<T>): T =>
  ({ ...value, nonce: bytesOf(value.nonce), challenge: bytesOf(value.challenge) }) as unknown as T;

test('there are vectors of every kind of message', () => {
  expect(new Set(vectors.flatMap(({ request }) => request?.type ?? []))).toEqual(new Set(messageTypes));
  expect(vectors.filter(({ reply }) => reply).length).toBeGreaterThan(3);
});

describe.for(vectors)('$name', ({ key, message, request, reply }) => {
  const tag = tagWith(bytesOf(key));

  test('is written and read', () => {
    const bytes = bytesOf(message);
    if (request) {
      expect(Buffer.from(encodeRequest(read(request), tag)).toString('hex')).toBe(message);
      expect(decodeRequest(bytes, tag)).toEqual(read(request));
    }
    if (reply) {
      expect(Buffer.from(encodeReply(read(reply), tag)).toString('hex')).toBe(message);
      expect(decodeReply(bytes, tag)).toEqual(read(reply));
    }
  });

  test('is nothing with another key, with any bit changed, or cut', () => {
    const decode = request ? decodeRequest : decodeReply;
    expect(() => decode(bytesOf(message), tagWith(new Uint8Array(32)))).toThrow(DecodeError);
    for (let at = 0; at < message.length / 2; at += 1) {
      const changed = bytesOf(message);
      changed[at]! ^= 1 << (at % 8);
      expect(() => decode(changed, tag)).toThrow(DecodeError);
      expect(() => decode(bytesOf(message).subarray(0, at), tag)).toThrow(DecodeError);
    }
  });
});

test.skipIf(!existsSync(python))('the Python responder reads and writes the same', () => {
  const program = `
import json, sys, types
source, vectors = json.load(sys.stdin)
respond = types.ModuleType("respond")
exec(source, respond.__dict__)
for vector in vectors:
    key, message = bytes.fromhex(vector["key"]), bytes.fromhex(vector["message"])
    if "request" in vector:
        wanted, found = vector["request"], respond.decode_request(message, key)
        assert found is not None, vector["name"]
        assert respond.TYPES[found["kind"]] == wanted["type"], vector["name"]
        for name in ("transport", "port", "size", "sequence"):
            assert found[name] == wanted[name], (vector["name"], name)
        assert bool(found["full"]) == wanted["isFull"], vector["name"]
        assert found["nonce"].hex() == wanted["nonce"], vector["name"]
        assert found["challenge"].hex() == wanted["challenge"], vector["name"]
        names = {"udp": 0, "tcp": 1}
        assert list(found["asked"]) == [(names[a["transport"]], a["port"], a["mark"]) for a in wanted["asked"]], vector["name"]
        assert list(found["back"]) == [(names[b["transport"]], b["port"]) for b in wanted["back"]], vector["name"]
        for at in range(len(message)):
            changed = bytearray(message); changed[at] ^= 1
            assert respond.decode_request(bytes(changed), key) is None, (vector["name"], at)
    else:
        r = vector["reply"]
        request = dict(kind=[k for k, v in respond.TYPES.items() if v == r["type"]][0], full=0, transport=r["transport"],
            port=r["port"], sequence=r["sequence"], nonce=bytes.fromhex(r["nonce"]), asked=r["receipts"], size=r["size"])
        receipts = [({"udp": 0, "tcp": 1}[x["transport"]], x["port"], x["proof"], x["seen"], x["bytes"], x["source"]) for x in r["receipts"]]
        made = respond.encode_reply(key, request, r["source"], r["sourcePort"], r["seen"], receipts, bytes.fromhex(r["challenge"]))
        assert made == message, vector["name"]
        assert respond.reply_size(request) == r["size"], vector["name"]
print("same")`;
  expect(
    execFileSync(python, ['-c', program], { input: JSON.stringify([pythonSource(), vectors]), encoding: 'utf8' }),
  ).toBe('same\n');
});

const tag = tagWith(new Uint8Array(32).fill(7));
const nonce = fc.uint8Array({ minLength: 16, maxLength: 16 });
const port = fc.record({ transport: fc.constantFrom('tcp', 'udp'), port: fc.integer({ min: 0, max: 65_535 }) });
const asked = fc
  .record({ mark: fc.nat({ max: 0xff_ff_ff_ff }) })
  .chain(({ mark }) => port.map((one) => ({ ...one, mark })));
const request = fc
  .record({
    type: fc.constantFrom(...messageTypes),
    place: port,
    nonce,
    sequence: fc.nat({ max: 65_535 }),
    isFull: fc.boolean(),
    asked: fc.array(asked, { maxLength: 50 }),
    back: fc.array(port, { maxLength: 64 }),
    more: fc.nat({ max: 300 }),
  })
  .map(({ place, more, ...parts }): Request => {
    const isOf = (type: string): boolean => parts.type === type;
    const made = newRequest({
      ...parts,
      ...place,
      asked: isOf('receipts') ? parts.asked : [],
      back: isOf('back') ? parts.back : [],
    });
    const least = isOf('back') ? 44 + 17 + 3 * parts.back.length : 0;
    return Object.assign(made, { size: Math.max(made.size, least) + more });
  });

test('any request comes back as it was, and its reply need not be longer', () => {
  fc.assert(
    fc.property(request, (made) => {
      const bytes = encodeRequest(made, tag);
      expect(bytes.length).toBeGreaterThanOrEqual(leastSize);
      expect(decodeRequest(bytes, tag)).toEqual(made);
      expect(replySize(made)).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

test('any reply comes back as it was', () => {
  const receipt = fc.record({
    place: port,
    proof: fc.constantFrom(...proofs),
    seen: fc.nat({ max: 65_535 }),
    bytes: fc.nat({ max: 65_535 }),
    source: fc.constantFrom('192.0.2.1', '2001:db8::1', '::1'),
  });
  const receipts = fc.array(receipt, { maxLength: 50 });
  fc.assert(
    fc.property(request, receipts, fc.nat({ max: 65_535 }), (made, found, seen) => {
      const reply: Reply = {
        ...{ type: made.type, transport: made.transport, port: made.port, sequence: made.sequence, nonce: made.nonce },
        ...{ source: '2001:db8::9', sourcePort: 1, seen, challenge: new Uint8Array(16) },
        receipts: made.type === 'receipts' ? found.map(({ place, ...rest }) => Object.assign(rest, place)) : [],
        size: 64 + 1 + 24 * found.length + 16,
      };
      expect(decodeReply(encodeReply(reply, tag), tag)).toEqual(reply);
    }),
  );
});

test('any bytes are a message or a DecodeError, also with a tag that fits', () => {
  const decodes = (decode: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array) => {
    try {
      decode(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
    }
  };
  const bytes = fc.uint8Array({ maxLength: 400 });
  fc.assert(
    fc.property(
      bytes,
      decodes((each) => decodeRequest(each, tag)),
    ),
  );
  fc.assert(
    fc.property(
      bytes,
      decodes((each) => decodeReply(each, tag)),
    ),
  );
  // Whoever has the key may still say nonsense.
  const sealed = fc
    .tuple(fc.constantFrom('XRP1', 'XRP2'), fc.uint8Array({ minLength: 160, maxLength: 300 }))
    .map(([magic, body]) => {
      const message = Uint8Array.from(body);
      message.set(Buffer.from(magic));
      message[4] = 1 + (message[4]! % 4);
      message[5]! &= 3;
      new DataView(message.buffer).setUint16(8, message.length);
      message.set(tag(message.subarray(0, 28), message.subarray(44)), 28);
      return message;
    });
  fc.assert(
    fc.property(
      sealed,
      decodes((each) => decodeRequest(each, tag)),
    ),
  );
  fc.assert(
    fc.property(
      sealed,
      decodes((each) => decodeReply(each, tag)),
    ),
  );
});

test('over TCP the length goes first', () => {
  expect([...framed(new Uint8Array(300))].slice(0, 2)).toEqual([1, 44]);
});
