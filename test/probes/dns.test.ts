import { globSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { beforeAll, describe, expect, test } from 'vitest';
import { dns, dnsTcp } from '../../probes/dns.ts';
import { NetError } from '../../src/model/errors.ts';
import { decodeOutline, decodeReply, encodeQuery, load, type Question } from '../../src/wire/dns.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import { decodes, ending } from '../support/endings.ts';
import { babble, scriptedIo } from '../support/scripted-io.ts';
import { patienceMs } from '../support/patience.ts';

const udpTarget = { host: 'peer.test', address: '192.0.2.1', port: 53, transport: 'udp' } as const;
const tcpTarget = { ...udpTarget, transport: 'tcp' } as const;
const withOptions = (given: object) => v.parse(dns.options, given);

beforeAll(load);

const id = 0xabab;
const root: Question = { name: '', type: 'NS' };
const host: Question = { name: 'host.test', type: 'A' };
const rootQuestion = '0000020001';
const hostQuestion = '04686f73740474657374000001 0001';
const service = '_ldap._tcp.dc._msdcs.ad.lab';
const serviceQuestion = '055f6c646170045f746370026463065f6d73646373026164036c61620000210001';

const hex = (value: number, bytes = 2): string => value.toString(16).padStart(bytes * 2, '0');
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

/** A message: flags, one question, records, with the counts that belong or others. */
function message(flags: number, question: string, answers: readonly string[] = [], counts?: string): string {
  return hex(id) + hex(flags) + (counts ?? `0001${hex(answers.length)}00000000`) + question + answers.join('');
}

const framed = (reply: string): string => hex(reply.replaceAll(/\s/g, '').length / 2) + reply;
const address = (text: string): string => `c00c00010001000000100004${text}`;
const alive = { reply: message(0x8005, rootQuestion) };
const found = { reply: message(0x8180, hostQuestion, [address('c0000201')]) };

function ask(reply: string, question: { query?: string; type?: string } = { query: 'host.test' }) {
  const io = scriptedIo({ steps: [{ reply }, alive] });
  return { io, end: ending(dns.run(io, udpTarget, withOptions(question))) };
}

test.for([
  ['an address', message(0x8180, hostQuestion, [address('c0000201')]), 'answered', 'host.test A: 192.0.2.1'],
  [
    'the question in other letters',
    message(0x8180, '04484f53540454455354000001 0001', [address('c0000201')]),
    'answered',
    'A: 192.0.2.1',
  ],
  ['only an alias', message(0x8180, hostQuestion, ['c00c00050001000000100002c00c']), 'answered', 'no A record'],
  ['no such name', message(0x8183, hostQuestion), 'answered', 'does not exist'],
  ['no data', message(0x8180, hostQuestion), 'answered', 'no A record'],
  ['refused', message(0x8185, hostQuestion), 'declined', 'refuses to resolve host.test for us'],
  ['its own upstream fails', message(0x8182, hostQuestion), 'declined', 'SERVFAIL'],
  ['not implemented, in the header alone', message(0x8184, '', [], '0000000000000000'), 'declined', 'NOTIMP'],
  ['refused, in the header alone', message(0x8185, '', [], '0000000000000000'), 'declined', 'refuses to resolve'],
  ['its upstream fails, in the header alone', message(0x8182, '', [], '0000000000000000'), 'declined', 'SERVFAIL'],
  ['a failure that has no name', message(0x818b, '', [], '0000000000000000'), 'declined', 'RCODE11'],
  ['no such name, in the header alone', message(0x8183, '', [], '0000000000000000'), 'garbled', '0 questions'],
  [
    'more than was asked for',
    `${found.reply.replace('00000000', '00000001')}00002904d0000000000000`,
    'answered',
    '192.0.2.1',
  ],
  ['truncated', message(0x8380, hostQuestion, [], '0001003c00000000'), 'answered', 'longer than a datagram'],
  ['silence', '', 'declined', 'up but did not resolve host.test in time'],
] as const)('asked for a name, a living server says: %s', async ([, reply, outcome, detail]) => {
  expect(await ask(reply).end).toMatchObject({ outcome, detail: expect.stringContaining(detail) as string });
});

test.for([
  ['nothing', '', 'timeout'],
  ['too few bytes for a header', 'abab8180', 'garbled'],
  ['our own question', message(0x0000, rootQuestion), 'garbled'],
  ['a reply to somebody else', `dead${message(0x8005, rootQuestion).slice(4)}`, 'timeout'],
  ['an update response', message(0xa800, rootQuestion), 'garbled'],
  ['the answer to another question', message(0x8180, hostQuestion), 'garbled'],
  ['another class', message(0x8180, '0000020003'), 'garbled'],
  ['no question, though it was understood', message(0x8180, '', [], '0000000000000000'), 'garbled'],
  ['two questions', message(0x8180, rootQuestion + rootQuestion, [], '0002000000000000'), 'garbled'],
  ['more records than bytes', message(0x8180, rootQuestion, [], '0001ffffffffffff'), 'garbled'],
  ['more questions than bytes', message(0x8180, rootQuestion, [], 'ffff000000000000'), 'garbled'],
  ['a record that runs past the end', message(0x8180, rootQuestion, ['c00c0002000100000010ffff00']), 'garbled'],
  ['a name that points to itself', message(0x8180, rootQuestion, ['c0110002000100000010000100']), 'garbled'],
  ['a name that points ahead', message(0x8180, rootQuestion, ['c0200002000100000010000100']), 'garbled'],
  ['an address of five bytes', message(0x8180, rootQuestion, ['c00c00010001000000100005c000020100']), 'garbled'],
  ['an alias that loops', message(0x8180, rootQuestion, ['c00c00050001000000100002c01d']), 'garbled'],
  ['a label of a reserved type', message(0x8180, '4000020001'), 'garbled'],
  ['HTML', Buffer.from('<html>blocked</html>').toString('hex'), 'garbled'],
] as const)('a hostile reply to the first question: %s', async ([, reply, outcome]) => {
  const io = scriptedIo({ steps: [{ reply }] });
  expect(await ending(dns.run(io, udpTarget, withOptions({})))).toMatchObject({ outcome });
});

test('a server that serves nobody the root is alive all the same', async () => {
  for (const flags of [0x8000, 0x8001, 0x8002, 0x8005, 0x800f]) {
    const io = scriptedIo({ steps: [{ reply: message(flags, rootQuestion) }] });
    expect(await ending(dns.run(io, udpTarget, withOptions({})))).toMatchObject({ outcome: 'answered' });
  }
});

test('a name the site needs and the server does not know is a warning', async () => {
  const { io, end } = ask(message(0x8183, hostQuestion));
  await end;
  expect(io.warnings).toEqual(['host.test does not exist according to this server']);
});

test('an empty answer without recursion only says that somebody else knows', async () => {
  const { io, end } = ask(message(0x8000, hostQuestion));
  await end;
  expect(io.warnings).toEqual([
    'host.test has no A record according to this server, and it does not ask others for us',
  ]);
});

describe('an answer cut short', () => {
  const cut = { reply: message(0x8380, hostQuestion) };

  test('is had over TCP, which is then really needed', async () => {
    const io = scriptedIo({ steps: [cut, { reply: framed(found.reply) }] });
    const end = await ending(dns.run(io, udpTarget, withOptions({ query: 'host.test' })));
    expect(end).toMatchObject({ outcome: 'answered', detail: 'host.test A: 192.0.2.1' });
    expect(io.notes).toEqual([expect.stringContaining('TCP 53 is really needed') as string]);
    expect(io.warnings).toEqual([]);
  });

  test('that TCP does not give either is an answer that no resolver can have', async () => {
    const io = scriptedIo({ steps: [cut, { send: '', reply: '', closes: true }] });
    const end = await ending(dns.run(io, udpTarget, withOptions({ query: 'host.test' })));
    expect(end).toMatchObject({ outcome: 'answered' });
    expect(io.warnings).toEqual([expect.stringMatching(/TCP 53 does not give it either .*closed/) as string]);
  });

  test('is what TCP says, even when that is no', async () => {
    const io = scriptedIo({ steps: [cut, { reply: framed(message(0x8185, hostQuestion)) }] });
    const end = await ending(dns.run(io, udpTarget, withOptions({ query: 'host.test' })));
    expect(end).toMatchObject({ outcome: 'declined' });
  });
});

describe('while the wanted name is answered', () => {
  test.for([
    ['UDP', () => scriptedIo({ steps: [found, alive] }), dns, udpTarget],
    ['TCP', () => scriptedIo({ steps: [{ reply: framed(found.reply) }, alive] }), dnsTcp, tcpTarget],
  ] as const)('over %s nothing else is asked', async ([, script, probe, target]) => {
    const io = script();
    await ending(probe.run(io, target, withOptions({ query: 'host.test' })));
    expect(io.sent.filter((sent) => !sent.includes('04686f7374'))).toEqual([]);
    expect(io.sent).toHaveLength(1);
  });
});

test('an answer that is late, when the server has been asked for its life, is still the answer', async () => {
  const steps = [{ reply: '' }, { reply: found.reply.replace('abab', '1111') }];
  const script = scriptedIo({ random: ['1111', '2222'], steps });
  expect(await ending(dns.run(script, udpTarget, withOptions({ query: 'host.test' })))).toMatchObject({
    outcome: 'answered',
    detail: 'host.test A: 192.0.2.1',
  });
});

const ownName = message(0x8180, '096c6f63616c686f73740000010001', [address('7f000001')]);

test.for([
  ['silence', dns, udpTarget, [{ reply: '' }, { reply: ownName }]],
  ['a hang-up', dnsTcp, tcpTarget, [{ send: '', reply: '', closes: true }, { reply: framed(ownName) }]],
] as const)('after %s about the root a forwarder is asked for localhost', async ([, probe, target, steps]) => {
  expect(await ending(probe.run(scriptedIo({ steps }), target, withOptions({})))).toMatchObject({
    outcome: 'answered',
    detail: 'a DNS server answers (NOERROR to a question about localhost)',
  });
});

test.for([
  ['no such name', message(0x8583, serviceQuestion)],
  ['no records', message(0x8580, serviceQuestion)],
] as const)('a server without the domain controllers is no server for the domain: %s', async ([, reply]) => {
  expect(await ask(reply, { query: service, type: 'SRV' }).end).toMatchObject({
    outcome: 'declined',
    detail: expect.stringContaining('does not know the domain controllers of ad.lab') as string,
  });
});

test('hundreds of controllers are an answer, of which the first are shown', async () => {
  const record = 'c00c00210001000003840008000000640185c021';
  const io = scriptedIo({ steps: [] });
  const bytes = bytesOf(
    message(
      0x8580,
      serviceQuestion,
      Array.from({ length: 400 }, () => record),
    ),
  );
  const reply = decodeReply(bytes, id, { name: service, type: 'SRV' });
  expect(reply.counts.answers).toBe(400);
  expect(reply.answers).toHaveLength(64);
  expect(reply.answers[0]).toBe('ad.lab:389');
  expect(io.sent).toEqual([]);
});

test('what a label holds is not shown as it came', async () => {
  const bytes = bytesOf(message(0x8180, rootQuestion, ['c00c0002000100000010000803 1b5b32 02 0a0d 00']));
  expect(decodeReply(bytes, id, root).answers).toEqual(['[2.']);
});

test('only silence about the name is the server not resolving it', async () => {
  const io = scriptedIo({ steps: [{ reply: '' }] });
  let sends = 0;
  const exchange: typeof io.exchange = (...given) => {
    sends += 1;
    if (sends === 1) return io.exchange(...given);
    return Promise.reject(new NetError({ outcome: 'refused', stage: 'connect', detail: 'port unreachable' }));
  };
  const run = dns.run({ ...io, exchange }, udpTarget, withOptions({ query: 'host.test' }));
  expect(await ending(run)).toMatchObject({ outcome: 'refused' });
});

const silence = new NetError({ outcome: 'timeout', stage: 'exchange', detail: 'nothing came' });

/** The same datagram in answer to whatever is asked. */
const says = (bytes: Uint8Array) => {
  const reply = Buffer.from(bytes).toString('hex');
  return scriptedIo({ steps: [{ reply }, { reply }] });
};

test('on TCP a server may close after each answer', async () => {
  const io = scriptedIo({ steps: [{ reply: framed(alive.reply), closes: true }, { reply: framed(found.reply) }] });
  // The wanted name drew silence before the script begins.
  let shares = 0;
  const within: typeof io.within = (share, asks) => {
    shares += 1;
    return shares === 1 ? Promise.reject(silence) : io.within(share, asks);
  };
  const run = dnsTcp.run({ ...io, within }, tcpTarget, withOptions({ query: 'host.test' }));
  expect(await ending(run)).toMatchObject({ outcome: 'answered', detail: 'host.test A: 192.0.2.1' });
});

test('truncation on TCP leaves nothing to fall back to, and is still an answer', async () => {
  const steps = [{ reply: framed(message(0x8380, hostQuestion)) }];
  const run = dnsTcp.run(scriptedIo({ steps }), tcpTarget, withOptions({ query: 'host.test' }));
  expect(await ending(run)).toMatchObject({ outcome: 'answered' });
});

test.for([
  ['closes at once', [{ send: '', reply: '', closes: true }], 'closed'],
  ['stays mute', [{ reply: '' }], 'timeout'],
  ['stops within the length', [{ reply: '00' }], 'timeout'],
  ['stops within the message', [{ reply: '0020abab' }], 'timeout'],
  ['announces less than a header', [{ reply: '000babab80050001000000000000' }], 'garbled'],
  ['answers somebody else', [{ reply: framed(`dead${alive.reply.slice(4)}`) }], 'garbled'],
  ['speaks HTTP', [{ reply: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex') }], 'garbled'],
  ['says something at random', [{ reply: 'f3'.repeat(40) }], 'garbled'],
] as const)('on TCP a peer that %s', async ([, steps, outcome]) => {
  const run = dnsTcp.run(scriptedIo({ steps }), tcpTarget, withOptions({ query: 'host.test' }));
  expect(await ending(run)).toMatchObject({ outcome });
});

test.for(['', '.', 'a..b', 'a b', 'é.test', `${'a'.repeat(64)}.test`, `${'a.'.repeat(127)}a`])(
  '%j is no name to ask for',
  (query) => {
    expect(v.safeParse(dns.options, { query }).success).toBe(false);
  },
);

test('a query is one question and nothing else', async () => {
  expect(Buffer.from(encodeQuery(id, host, true)).toString('hex')).toBe(
    `abab01000001000000000000${hostQuestion.replace(' ', '')}`,
  );
});

/** Every recorded reply with its id and its question. */
const recorded = globSync('fixtures/wire/dns/*.json').flatMap((file) => {
  const { steps, options } = JSON.parse(readFileSync(file, 'utf8')) as {
    steps: { reply: string }[];
    options: { query?: string; type?: Question['type'] };
  };
  const name = options.query?.replace(/\.$/, '');
  const question: Question = name === undefined ? root : { name, type: options.type ?? 'A' };
  return steps.map((step) => ({ bytes: bytesOf(step.reply), question }));
});

test('a recorded reply decodes whole, and cut anywhere it does not', async () => {
  for (const { bytes, question } of recorded) {
    const ownId = (bytes[0]! << 8) | bytes[1]!;
    decodeReply(bytes, ownId, question);
    for (let length = 0; length < bytes.length; length++) {
      expect(await decodes(() => decodeReply(bytes.subarray(0, length), ownId, question))).toBe(false);
    }
  }
});

test('a recorded reply with bits turned over decodes or does not', async () => {
  const reply = fc.constantFrom(...recorded);
  const flips = fc.array(fc.nat({ max: 4095 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(reply, flips, async ({ bytes, question }, turned) => {
      const copy = Uint8Array.from(bytes);
      for (const bit of turned) copy[(bit >> 3) % copy.length]! ^= 1 << (bit & 7);
      const isReply = await decodes(() => decodeReply(copy, (copy[0]! << 8) | copy[1]!, question));
      expect(isReply).toBeTypeOf('boolean');
    }),
    { numRuns: 1000 },
  );
});

test('any bytes are an answer or not one', async () => {
  const header = fc.constant([0xab, 0xab, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
  const bodies = fc.tuple(fc.oneof(header, fc.constant([])), fc.uint8Array({ maxLength: 600 }));
  await fc.assert(
    fc.asyncProperty(bodies, async ([head, body]) => {
      const bytes = Uint8Array.from([...head, ...body]);
      expect(await decodes(() => decodeOutline(bytes))).toBeTypeOf('boolean');
      await decodes(() => decodeReply(bytes, id, root));
      await ending(dns.run(says(bytes), udpTarget, withOptions({ query: 'host.test' })));
      await ending(dnsTcp.run(babble(bytes), tcpTarget, withOptions({ query: 'host.test' })));
    }),
    { numRuns: 500 },
  );
});

test('records of every type that the codec knows are bounded by ours', async () => {
  const type = fc.constantFrom(1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 43, 46, 48, 99, 257, 65_280);
  const record = fc.tuple(type, fc.uint8Array({ maxLength: 48 }));
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
      const answers = records.map(
        ([code, content]) =>
          `c00c${hex(code)}000100000010${hex(content.length)}${Buffer.from(content).toString('hex')}`,
      );
      const bytes = bytesOf(message(0x8180, rootQuestion, answers));
      expect(await decodes(() => decodeReply(bytes, id, root))).toBeTypeOf('boolean');
    }),
    { numRuns: 1000 },
  );
});

test('the longest and most tangled message takes no longer than a long one', async () => {
  // 64 KiB of records, each name a pointer to the longest name there is, which is reached over sixteen pointers.
  const longest = `${`3f${'61'.repeat(63)}`.repeat(3)}3d${'61'.repeat(61)}00`;
  const question = `${longest}00020001`;
  const chain = Array.from({ length: 15 }, (_, i) =>
    hex(0xc000 | (i === 0 ? 12 : 12 + longest.length / 2 + 4 + 12 + 2 * (i - 1))),
  );
  const holder = `c00c0010000100000010${hex(chain.length * 2)}`;
  const chainAt = 12 + question.length / 2 + holder.length / 2;
  const linked = chain.map((_, i) => hex(0xc000 | (i === 0 ? 12 : chainAt + 2 * (i - 1)))).join('');
  const name = hex(0xc000 | (chainAt + 2 * (chain.length - 1)));
  const soa = `${name}00060001000000100018${name}${name}${'00'.repeat(20)}`;
  const nothing = `${name}00ff0001000000100000`;
  const records = [`${holder.replace('0010000100', '00ff000100')}${linked}`, ...Array.from({ length: 63 }, () => soa)];
  const filler = Array.from({ length: 4900 }, () => nothing);
  const bytes = bytesOf(message(0x8180, question, [...records, ...filler]));
  expect(bytes.length).toBeGreaterThan(60_000);
  expect(bytes.length).toBeLessThan(65_536);
  const name255 = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
  decodeReply(bytes, id, { name: name255, type: 'NS' });
  const startedAt = performance.now();
  decodeReply(bytes, id, { name: name255, type: 'NS' });
  expect(performance.now() - startedAt).toBeLessThan(patienceMs);
});

test('a DecodeError says where', () => {
  expect(() => decodeReply(bytesOf('abab'), id, root)).toThrow(DecodeError);
});
