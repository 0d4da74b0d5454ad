import { describe, expect, test } from 'vitest';
import { nfsDynamic } from '../../probes/nfs-dynamic.ts';
import { NetError } from '../../src/model/errors.ts';
import type { NetFailure } from '../../src/model/errors.ts';
import { encodeWords } from '../../src/wire/xdr.ts';
import { ending } from '../support/endings.ts';
import { hostileReplies, outcomeOf } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo, type ScriptedIo, type Step } from '../support/scripted-io.ts';

const target = { host: 'nas.test', address: '192.0.2.5', port: 111, transport: 'tcp' } as const;
const mountd = 100_005;
const nlockmgr = 100_021;
const tcp = 6;
const record = (...words: number[]): string => hexOf(0x8000_0000 + words.length * 4, ...words);
const hexOf = (...words: number[]): string => Buffer.from(encodeWords(...words)).toString('hex');
const xid = 0xabab_abab;
const success = [xid, 1, 0, 0, 0, 0];
const dump = (...registrations: number[][]): Step => ({
  reply: record(...success, ...registrations.flatMap(([program, ...rest]) => [1, program!, rest].flat()), 0),
  closes: true,
});
const usual = dump([mountd, 3, tcp, 20_048], [nlockmgr, 4, tcp, 32_803]);
const answers = (port: number): Step => ({ reply: record(...success), port, closes: true });

test('what NFS 3 uses is asked, mountd 3 and nlockmgr 4, and other versions are told', async () => {
  const steps = [
    dump([mountd, 1, tcp, 700], [mountd, 3, tcp, 700], [mountd, 2, tcp, 701], [nlockmgr, 4, tcp, 702]),
    ...[700, 702].map((port) => answers(port)),
  ];
  const io = scriptedIo({ steps });
  const answer = await nfsDynamic.run(io, target, {});
  expect(answer.detail).toBe('all answer on TCP: mountd 700, nlockmgr 702');
  const called = io.sent
    .slice(1)
    .map((hex) => [4, 5].map((word) => Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16)));
  expect(called).toEqual([
    [mountd, 3],
    [nlockmgr, 4],
  ]);
  expect(io.notes).toEqual(['other versions of mountd than 3 are on port 701: NFS 3 does not use them']);
});

test('a peer that registers a thousand ports gets those asked that a mount would', async () => {
  const many = Array.from({ length: 1000 }, (_, i) => [mountd, i, tcp, 1000 + i]);
  const steps = [dump(...many, [nlockmgr, 4, tcp, 702]), ...[1003, 702].map((port) => answers(port))];
  const io = scriptedIo({ steps });
  const answer = await nfsDynamic.run(io, target, {});
  expect(answer.detail).toBe('all answer on TCP: mountd 1003, nlockmgr 702');
  expect(io.notes).toEqual([
    'other versions of mountd than 3 are on port 1000, 1001, 1002, 1004: NFS 3 does not use them',
  ]);
});

test('a mountd without version 3 is of no use to NFS 3', async () => {
  const steps = [dump([mountd, 1, tcp, 700], [mountd, 2, tcp, 700], [nlockmgr, 4, tcp, 702])];
  const answer = await nfsDynamic.run(scriptedIo({ steps }), target, {});
  expect(answer).toMatchObject({ outcome: 'declined', detail: 'rpcbind knows no mountd 3 on TCP' });
});

describe('a server that is silent to the list of version 2', () => {
  const silent: Step = { reply: '', closes: true };
  const text = (value: string): number[] => {
    const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
    bytes.writeUInt32BE(value.length);
    bytes.write(value, 4, 'latin1');
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32BE(i * 4));
  };
  const entry = (program: number, version: number, port: number): number[] =>
    [1, program, version, text('tcp'), text(`192.0.2.5.${port >> 8}.${port & 255}`), text('')].flat();
  const list4 = record(...success, ...entry(mountd, 3, 20_048), ...entry(nlockmgr, 4, 32_803), 0);

  test('is asked for that of version 4', async () => {
    const steps = [silent, { reply: list4, closes: true }, answers(20_048), answers(32_803)];
    const answer = await nfsDynamic.run(scriptedIo({ steps }), target, {});
    expect(answer).toMatchObject({ outcome: 'answered', detail: 'all answer on TCP: mountd 20048, nlockmgr 32803' });
  });

  test('and to that as well is asked for each port', async () => {
    const ports = [20_048, 32_803, 0].map((port) => ({ reply: record(...success, port) }));
    const steps = [silent, silent, ...ports, answers(20_048), answers(32_803)];
    steps[4] = { ...ports[2]!, closes: true } as Step;
    const io = scriptedIo({ steps });
    const answer = await nfsDynamic.run(io, target, {});
    expect(answer).toMatchObject({ outcome: 'answered', detail: 'all answer on TCP: mountd 20048, nlockmgr 32803' });
    expect(io.notes).toEqual(['rpcbind does not answer for its whole list: asked for each port']);
  });
});

test('what is registered on the other transport alone is not there', async () => {
  const answer = await nfsDynamic.run(scriptedIo({ steps: [usual] }), { ...target, transport: 'udp' }, {});
  expect(answer).toMatchObject({ outcome: 'declined', detail: 'rpcbind knows no mountd 3 and no nlockmgr 4 on UDP' });
});

test('an IPv6 target whose rpcbind knows only version 2 goes by what that says', async () => {
  const steps: Step[] = [{ ...usual, closes: false }, answers(20_048), answers(32_803)];
  const mismatch: Step = { reply: record(xid, 1, 0, 0, 0, 2, 2, 2) };
  const answer = await nfsDynamic.run(
    scriptedIo({ steps: [mismatch, ...steps] }),
    { ...target, address: '2001:db8::5' },
    {},
  );
  expect(answer.outcome).toBe('answered');
});

test('rpcbind that does not tell is declined', async () => {
  const refused: Step = { reply: record(xid, 1, 1, 1, 5) };
  const answer = await nfsDynamic.run(scriptedIo({ steps: [refused, refused] }), target, {});
  expect(answer).toMatchObject({
    outcome: 'declined',
    detail:
      'rpcbind does not say where mountd is: an RPC server that refuses a caller without credentials (AUTH_TOOWEAK)',
  });
});

/** Everything as usual, but nlockmgr cannot be connected to. */
const withoutNlockmgr = (failure: NetFailure): ScriptedIo => {
  const scripted = scriptedIo({ steps: [usual, answers(20_048)] });
  const connect: typeof scripted.connect = (options = {}) =>
    options.port === 32_803 ? Promise.reject(new NetError(failure)) : scripted.connect(options);
  return { ...scripted, connect };
};

describe('a failure names the program and the port', () => {
  test('when nothing listens there', async () => {
    const failure = { outcome: 'refused', stage: 'connect', detail: 'nothing listens', code: 'ECONNREFUSED' } as const;
    const run = nfsDynamic.run(withoutNlockmgr(failure), target, {});
    await expect(run).rejects.toMatchObject({
      failure: { ...failure, detail: 'nlockmgr on TCP port 32803: nothing listens' },
    });
  });

  test('when it speaks something else', async () => {
    const garbage: Step = { reply: '48545450', port: 20_048, closes: true };
    expect(await ending(nfsDynamic.run(scriptedIo({ steps: [usual, garbage] }), target, {}))).toEqual({
      outcome: 'garbled',
      detail: 'mountd on TCP port 20048: an RPC record of 1213486160 bytes, at most 65536 may be (at byte 0)',
    });
  });
});

test('when rpcbind is shut over both transports the failure is that of TCP', async () => {
  const steps: Step[] = [{ send: '', reply: '', closes: true }, { reply: '' }];
  expect(await ending(nfsDynamic.run(scriptedIo({ steps }), target, {}))).toEqual({
    outcome: 'closed',
    detail: 'rpcbind on TCP: the peer closed',
  });
});

test.for(hostileReplies)('%s is no answer of rpcbind', async ([name, reply]) => {
  const isShort = ['nothing', 'one byte'].includes(name);
  expect(await outcomeOf(nfsDynamic, { steps: [{ reply, closes: true }] })).toBe(isShort ? 'closed' : 'garbled');
});

test('a damaged conversation comes to an outcome', () => expectOutcomes('nfs-dynamic', nfsDynamic));
