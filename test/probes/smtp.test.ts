import { expect, test } from 'vitest';
import { decodeLine, smtp } from '../../probes/smtp.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';
import { expectBounded, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';

const target = { host: 'mail.test', address: '192.0.2.5', port: 25, transport: 'tcp' } as const;
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
const ehlo = hex('EHLO [127.0.0.1]\r\n');
const greeting = { send: '', reply: hex('220 mail.test ESMTP\r\n') };

test('a server that greets and answers EHLO, with TLS on offer', async () => {
  const reply = hex('250-mail.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n');
  const io = scriptedIo({ steps: [greeting, { send: ehlo, reply }] });
  expect(await smtp.run(io, target, {})).toMatchObject({
    outcome: 'answered',
    evidence: { greeting: 'mail.test ESMTP', startTls: true },
  });
  expect(io.sent.at(-1)).toBe(hex('QUIT\r\n'));
});

test.for([
  ['554 go away\r\n', undefined, 'declined'],
  ['421-busy\r\n421 later\r\n', undefined, 'declined'],
  ['220 hello\r\n', '502 what\r\n', 'declined'],
  ['220-hello\r\n220 again\r\n', '250 mail\n', 'answered'],
  ['SSH-2.0-OpenSSH\r\n', undefined, 'garbled'],
  ['220 hello\r\n', '250-on\r\n'.repeat(101), 'garbled'],
  ['220 hello\r\n', '250-on\r\n', 'closed'],
] as const)('"%s", then "%s": %s', async ([first, second, outcome]) => {
  const steps = [
    { send: '', reply: hex(first), closes: second === undefined },
    ...(second === undefined ? [] : [{ send: ehlo, reply: hex(second), closes: true }]),
  ];
  expect(await outcomeOf(smtp, { steps })).toBe(outcome);
});

test('any bytes give a line or a DecodeError', () => {
  expectBounded(decodeLine, recordedReplies('smtp'));
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('smtp', smtp));
