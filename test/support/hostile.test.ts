/** The hostile peers do what their names say. */
import { expect, test } from 'vitest';
import { hostileKinds, startHostile, type HostileKind } from './hostile.ts';
import { ntpServer } from '../../src/lab/peers/ntp.ts';
import { nfs } from '../../src/lab/peers/nfs.ts';
import { rpcServer } from '../../src/lab/peers/rpc.ts';
import { askTcp, askUdp, type UdpAnswer } from '../lab/ask.ts';

const call = `112233440000000000000002000186a300000003${'00000000'.repeat(5)}`;

test.for(hostileKinds)('%s starts, takes a client and ends', async (kind) => {
  const peer = await startHostile(kind);
  const asking = Promise.all([
    askUdp(peer.address, peer.port, '00', 20),
    askTcp(peer.address, peer.port, ['00']).catch(() => undefined),
  ]);
  await new Promise((resolve) => void setTimeout(resolve, 30));
  await peer.close();
  await asking;
  await expect(askTcp(peer.address, peer.port, ['00'])).rejects.toThrow('ECONNREFUSED');
});

test.for([
  ['hugeLength', '3003', /^30847fffffff/],
  ['hugeLength', '80000028', /^ffffffff$/],
  ['megabytes', '00', /^41{1}/],
  ['closeAtOnce', '00', /^$/],
  ['http', '00', /^485454502f/],
  ['tlsOnPlain', '00', /^15/],
  ['sshBanner', '', /^5353482d/],
] as const)('%s answers %s', async ([kind, sent, expected]) => {
  expect((await withPeer(kind, (address, port) => askTcp(address, port, [sent])))[0]).toMatch(expected);
});

test('a drip is one byte', async () => {
  const peer = await startHostile('drip', rpcServer(nfs(3, 3)));
  const [answer] = await askTcp(peer.address, peer.port, [`80000028${call}`]);
  await peer.close();
  expect(answer).toBe('80');
});

test('an answer to somebody else has another number', async () => {
  const peer = await startHostile('wrongTransaction', rpcServer(nfs(3, 3)));
  const [answer] = await askTcp(peer.address, peer.port, [`80000028${call}`], 28);
  const datagram = await askUdp(peer.address, peer.port, call);
  await peer.close();
  expect(answer).toMatch(/^80000018 ?44223344/);
  expect(datagram?.hex).toMatch(/^44223344/);
});

// Where there is only 127.0.0.1 the other address is another port.
test.runIf(process.platform === 'linux')('an answer from elsewhere comes from elsewhere', async () => {
  const request = `23${'00'.repeat(39)}0102030405060708`;
  const peer = await startHostile('otherAddress', ntpServer());
  const answer: UdpAnswer | undefined = await askUdp(peer.address, peer.port, request);
  await peer.close();
  expect(answer?.hex).toMatch(/^2402/);
  expect(answer?.address).not.toBe(peer.address);
});

async function withPeer<T>(kind: HostileKind, talk: (address: string, port: number) => Promise<T>): Promise<T> {
  const peer = await startHostile(kind);
  try {
    return await talk(peer.address, peer.port);
  } finally {
    await peer.close();
  }
}
