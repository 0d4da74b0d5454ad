/** What a responder says and does not say, without a socket. */
import { describe, expect, test } from 'vitest';
import { tagWith } from '../../src/net/crypto.ts';
import { Answers, type AnswersOptions } from '../../src/respond/answers.ts';
import { decodeReply, encodeRequest, leastSize, newRequest, type Request } from '../../src/wire/pair.ts';

const tag = tagWith(new Uint8Array(32).fill(1));
const nonce = new Uint8Array(16).fill(9);
const at = { transport: 'udp', port: 514 } as const;
const from = { address: '192.0.2.7', port: 40_000 };
const probe = (parts: Partial<Request> = {}): Request => newRequest({ type: 'probe', ...at, nonce, ...parts });

function answersWith(parts: Partial<AnswersOptions> = {}): Answers & { now: number } {
  const clock = { now: 0 };
  const answers = new Answers({
    tag,
    allows: () => true,
    nowMs: () => clock.now,
    ownNonce: '00'.repeat(16),
    challengeFor: (address) => tag(Buffer.from(address)),
    sighting: () => undefined,
    onArrival: () => undefined,
    onBye: () => undefined,
    onBack: () => undefined,
    ...parts,
  });
  return Object.defineProperty(answers as Answers & { now: number }, 'now', {
    set: (ms: number) => {
      clock.now = ms;
    },
  });
}

const ask = (
  answers: Answers,
  request: Request,
  source = from,
  place: typeof at | { transport: 'tcp'; port: number } = at,
) => answers.answer(encodeRequest(request, tag), source, place);

test('the reply says where it came from and how often, and is not longer than the request', () => {
  const answers = answersWith();
  for (const seen of [1, 2, 3]) {
    const reply = ask(answers, probe({ sequence: seen }))!;
    expect(reply.length).toBeLessThanOrEqual(leastSize);
    expect(decodeReply(reply, tag)).toMatchObject({ source: from.address, sourcePort: from.port, seen });
  }
  expect(answers.arrivals).toMatchObject([{ port: 514, from: from.address, seen: 3, bytes: leastSize }]);
});

describe('silence', () => {
  test('to another key, another port, another transport, and whoever may not ask', () => {
    const answers = answersWith({ allows: (address) => address === '192.0.2.8' });
    const other = encodeRequest(probe(), tagWith(new Uint8Array(32)));
    expect(answers.answer(other, from, at)).toBeUndefined();
    expect(ask(answers, probe())).toBeUndefined();
    expect(ask(answers, probe({ port: 515 }), { address: '192.0.2.8', port: 1 })).toBeUndefined();
    expect(ask(answers, probe(), { address: '192.0.2.8', port: 1 }, { transport: 'tcp', port: 514 })).toBeUndefined();
    expect(answers.arrivals).toEqual([]);
    expect(ask(answers, probe(), { address: '192.0.2.8', port: 1 })).toBeDefined();
  });

  test('to the same request after three answers, though it still counts', () => {
    const answers = answersWith();
    const replies = Array.from({ length: 10 }, () => ask(answers, probe()));
    expect(replies.filter(Boolean)).toHaveLength(3);
    expect(answers.arrivals[0]?.seen).toBe(10);
  });

  test('to a request that is shorter than its answer would be', () => {
    const asked = Array.from({ length: 20 }, (_, i) => ({ transport: 'udp', port: 1000 + i, mark: 0 }) as const);
    const short = { ...newRequest({ type: 'receipts', ...at, nonce, asked }), size: 250 };
    expect(ask(answersWith(), short)).toBeUndefined();
    expect(ask(answersWith(), newRequest({ type: 'receipts', ...at, nonce, asked }))).toBeDefined();
  });

  test('when a source asks more than 50 times a second, or all of them more than 500', () => {
    const answers = answersWith();
    const count = (sources: number): number =>
      Array.from({ length: 2000 }, (_, i) =>
        ask(answers, probe({ sequence: i }), { address: `192.0.2.${i % sources}`, port: i }),
      ).filter(Boolean).length;
    expect(count(1)).toBe(100);
    answers.now = 1000;
    // What was asked once is asked again under the same sequence: twice is less than three times.
    expect(count(1)).toBe(50);
    answers.now = 60_000;
    expect(count(200)).toBeLessThanOrEqual(1000);
  });
});

test('a table of 10,000 forgets the oldest', () => {
  const answers = answersWith();
  for (let i = 0; i < 10_050; i += 1) {
    const each = new Uint8Array(16);
    new DataView(each.buffer).setUint32(0, i);
    each[15] = 1;
    ask(answers, probe({ nonce: each }));
  }
  expect(answers.arrivals).toHaveLength(10_000);
  expect(answers.arrivals[0]?.nonce.startsWith('00000032')).toBe(true);
});

describe('receipts', () => {
  const receiptsOf = (answers: Answers, asked: Request['asked']) =>
    decodeReply(ask(answers, newRequest({ type: 'receipts', ...at, nonce, asked }))!, tag).receipts;

  test('tell what came to other ports under the same nonce', () => {
    const answers = answersWith();
    ask(answers, probe({ port: 6910 }), from, { transport: 'udp', port: 6910 } as never);
    const asked = [6910, 6911].map((port) => ({ transport: 'udp', port, mark: 0 }) as const);
    expect(receiptsOf(answers, asked)).toMatchObject([
      { port: 6910, proof: 'receipt', seen: 1, bytes: leastSize, source: from.address },
      { port: 6911, proof: 'none', seen: 0 },
    ]);
  });

  test('tell of a connection on which nothing came', () => {
    const answers = answersWith();
    answers.accepted(from, { transport: 'tcp', port: 8892 });
    expect(receiptsOf(answers, [{ transport: 'tcp', port: 8892, mark: 0 }])).toMatchObject([{ seen: 1, bytes: 0 }]);
  });

  test('tell nothing of a connection that an earlier check opened, or that another check was told of', () => {
    const asked = [{ transport: 'tcp', port: 8892, mark: 0 }] as const;
    const answers = answersWith();
    // One that said what it wanted is known by that.
    answers.accepted(from, { transport: 'tcp', port: 8892 });
    const earlier = probe({ transport: 'tcp', port: 8892, nonce: new Uint8Array(16).fill(8) });
    ask(answers, earlier, from, { transport: 'tcp', port: 8892 });
    expect(receiptsOf(answers, asked)).toMatchObject([{ proof: 'none', seen: 0 }]);
    answers.accepted({ ...from, port: 40_001 }, { transport: 'tcp', port: 8892 });
    expect(receiptsOf(answers, asked)).toMatchObject([{ seen: 1, bytes: 0 }]);
    const later = newRequest({ type: 'receipts', ...at, nonce: new Uint8Array(16).fill(7), asked });
    expect(decodeReply(ask(answers, later)!, tag).receipts).toMatchObject([{ proof: 'none', seen: 0 }]);
  });

  test('tell what a witness saw', () => {
    const sighting = () => ({ proof: 'log', seen: 1, bytes: 0 }) as const;
    expect(receiptsOf(answersWith({ sighting }), [{ transport: 'udp', port: 515, mark: 5 }])).toMatchObject([
      { proof: 'log', seen: 1 },
    ]);
  });
});

test('it asks back nobody who has not given its challenge back', () => {
  const asked: string[] = [];
  const answers = answersWith({ onBack: (address) => asked.push(address) });
  const back = [{ transport: 'udp', port: 5405 }] as const;
  const request = newRequest({ type: 'back', ...at, nonce, back });
  const { challenge } = decodeReply(ask(answers, request)!, tag);
  expect(asked).toEqual([]);
  ask(answers, { ...request, challenge, sequence: 2 }, { address: '192.0.2.99', port: 1 });
  expect(asked).toEqual([]);
  ask(answers, { ...request, challenge, sequence: 3 });
  expect(asked).toEqual([from.address]);
});

test('its own question is answered and is no arrival', () => {
  const answers = answersWith({ allows: () => false });
  expect(ask(answers, probe({ nonce: new Uint8Array(16) }))).toBeDefined();
  expect(answers.arrivals).toEqual([]);
});
