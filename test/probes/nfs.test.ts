import { describe, expect, test } from 'vitest';
import { nfs, nfsUdp } from '../../probes/nfs.ts';
import { hostileReplies, outcomeOf } from '../support/strange-bytes.ts';
import { expectOutcomes } from '../support/mutilate.ts';
import { scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'nas.test', address: '192.0.2.5', port: 2049, transport: 'tcp' } as const;
const xid = 'abababab';

test.for([
  ['80000020', '00000000 00000000 00000000 00000002 00000003 00000003', 'the server speaks NFS 3 only, not 4'],
  ['80000018', '00000000 00000000 00000000 00000001', 'an RPC server, but not NFS'],
  ['80000018', '00000000 00000000 00000000 00000005', 'NFS does not take the call (SYSTEM_ERR)'],
  ['80000018', '00000001 00000000 00000003 00000004', 'an RPC server of version 3 to 4, not 2'],
] as const)('declined: %s %s', async ([mark, state, detail]) => {
  const io = scriptedIo({ steps: [{ reply: `${mark} ${xid} 00000001 ${state}` }] });
  expect(await nfs.run(io, target, { version: 4 })).toMatchObject({ outcome: 'declined', detail });
});

test('a server that wants credentials even for the null call is reached', async () => {
  const io = scriptedIo({ steps: [{ reply: `80000014 ${xid} 00000001 00000001 00000001 00000005` }] });
  expect(await nfs.run(io, target, { version: 4 })).toMatchObject({ outcome: 'answered' });
  expect(io.notes).toEqual([
    'the server wants credentials (AUTH_TOOWEAK), which xenreach does not have: NFS 4 is not proven',
  ]);
});

describe.for([
  ['nfs', nfs],
  ['nfs-udp', nfsUdp],
] as const)('%s', ([name, probe]) => {
  test.for(hostileReplies)('%s is no answer', async ([what, reply]) => {
    const quiet = name === 'nfs' ? 'closed' : 'timeout';
    const isQuiet = what === 'nothing' || (what === 'one byte' && name === 'nfs');
    expect(await outcomeOf(probe, { steps: [{ reply, closes: true }] })).toBe(isQuiet ? quiet : 'garbled');
  });

  test('a damaged conversation comes to an outcome', () => expectOutcomes(name, probe));
});

test('the version is 3 or 4, and 3 over UDP unless asked', () => {
  expect(nfs.options['~standard'].validate({ version: 2 })).toHaveProperty('issues');
  expect(nfs.options['~standard'].validate({})).toMatchObject({ value: { version: 4 } });
  expect(nfsUdp.options['~standard'].validate({})).toMatchObject({ value: { version: 3 } });
});
