import { describe, expect, test } from 'vitest';
import { rpcbind, rpcbindUdp } from '../../probes/rpcbind.ts';
import { hostileReplies, outcomeOf } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'nas.test', address: '192.0.2.5', port: 111, transport: 'tcp' } as const;
const success = 'abababab 00000001 00000000 00000000 00000000 00000000';

describe('over TCP', () => {
  test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
    const isShort = ['nothing', 'one byte'].includes(name);
    expect(await outcomeOf(rpcbind, { steps: [{ reply, closes: true }] })).toBe(isShort ? 'closed' : 'garbled');
  });

  test('a reply to another call is garbled: on a connection there is no other', async () => {
    expect(
      await outcomeOf(rpcbind, { steps: [{ reply: `80000018 ${success.replace('abababab', '00000001')}` }] }),
    ).toBe('garbled');
  });

  test.for([
    ['never comes', ''],
    ['is no list', '48545450'],
    ['has no end', `80000024 ${success} 00000001 000186a3 00000003`],
  ] as const)('a list that %s undoes no proof: it is a warning', async ([, reply]) => {
    const io = scriptedIo({ steps: [{ reply: `80000018 ${success}` }, { reply }] });
    expect(await rpcbind.run(io, target, {})).toMatchObject({ outcome: 'answered', detail: 'rpcbind answers' });
    expect(io.warnings).toEqual([expect.stringContaining('does not list its programs') as string]);
  });

  test('a list without NFS 3 is told: the storage manager goes by it', async () => {
    const list = `80000030 ${success} 00000001 000186a5 00000003 00000006 00000801 00000000`;
    const io = scriptedIo({ steps: [{ reply: `80000018 ${success}` }, { reply: list }] });
    await rpcbind.run(io, target, {});
    expect(io.notes).toEqual([expect.stringContaining('NFS 3 is not among its programs') as string]);
  });

  test('who wants credentials even for the null call is there, and turns rpcinfo away', async () => {
    const io = scriptedIo({
      steps: [{ reply: '80000014 abababab 00000001 00000001 00000001 00000005' }, { reply: '' }],
    });
    expect(await rpcbind.run(io, target, {})).toMatchObject({ outcome: 'answered' });
    expect(io.warnings[0]).toMatch(/AUTH_TOOWEAK/);
  });

  test('evidence holds the first 64 registrations, and a note says so', async () => {
    const entries = '00000001 000186a3 00000003 00000006 00000801'.repeat(70);
    const length = (24 + 70 * 20 + 4).toString(16).padStart(4, '0');
    const list = `8000${length} ${success} ${entries} 00000000`;
    const io = scriptedIo({ steps: [{ reply: `80000018 ${success}` }, { reply: list }] });
    const answer = await rpcbind.run(io, target, {});
    expect(answer.detail).toBe('rpcbind answers, 70 registrations');
    expect(answer.evidence['programs']).toHaveLength(64);
    expect(io.notes).toEqual(['of 70 registrations the first 64 are listed']);
  });

  test('a damaged conversation comes to an outcome', () => expectOutcomes('rpcbind', rpcbind));
});

describe('over UDP', () => {
  test.for(hostileReplies)('%s is no answer', async ([name, reply]) => {
    expect(await outcomeOf(rpcbindUdp, { steps: [{ reply }] })).toBe(name === 'nothing' ? 'timeout' : 'garbled');
  });

  test('a reply to another call is passed over', async () => {
    const stray = success.replace('abababab', '00000001');
    expect(await outcomeOf(rpcbindUdp, { steps: [{ reply: stray }] })).toBe('timeout');
  });

  test('nothing but the null call is sent', async () => {
    const io = scriptedIo({ steps: [{ reply: success }] });
    await rpcbindUdp.run(io, { ...target, transport: 'udp' }, {});
    expect(io.sent.map((hex) => hex.length / 2)).toEqual([40]);
  });

  test('a damaged conversation comes to an outcome', () => expectOutcomes('rpcbind-udp', rpcbindUdp));
});
