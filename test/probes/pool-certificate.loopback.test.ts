/** Where the pool verifies its members, a member's other certificate is verified too, and not only looked at. */
import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { check } from '../../src/check/api.ts';
import { Caller, serve } from '../../src/lab/caller.ts';
import { makeSelfSigned, soundLeaf } from '../../src/lab/certificate.ts';
import { httpServer } from '../../src/lab/peers/http.ts';
import { overTls } from '../../src/lab/tls.ts';
import { Api } from '../../src/lab/xapi/api.ts';
import { answerCall } from '../../src/lab/xapi/http.ts';
import { parseSite } from '../../src/load/site.ts';
import { xenserver8 } from '../support/sites.ts';

const [shown, forMembers] = [
  makeSelfSigned(soundLeaf('127.0.0.1', ['127.0.0.1'])),
  makeSelfSigned(soundLeaf('member')),
];
const pinOf = ({ cert }: { cert: string }): string =>
  new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();

const api = new Api({ records: {} });
const web = httpServer((request) => answerCall(request, api) ?? { status: 404 });
const peer = overTls((servername) => (servername === 'xapi:pool' ? forMembers : shown), web);
const server = net.createServer((socket) => void serve(peer, new Caller(socket)));

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => void server.close());

async function rowOf(pins: readonly string[] | undefined) {
  const { port } = server.address() as net.AddressInfo;
  const site = {
    roles: { 'xenserver-host': { host: '127.0.0.1', ports: { 443: port } } },
    facts: { 'https-only': true },
    ...(pins && { 'pool-certificates': pins }),
  };
  const parsed = await parseSite(JSON.stringify(site), 'site.yaml', xenserver8);
  const vantage = { hostname: 'elsewhere', addresses: [] };
  const report = await check(parsed, { rows: ['pool-management'], timeoutMs: 5000, vantage });
  return report.rows.find(({ id }) => id === 'pool-management')!;
}

test('a certificate that the pool knows passes, and is told', async () => {
  const row = await rowOf([pinOf(shown), pinOf(forMembers)]);
  expect(row.verdict).toBe('pass');
  expect(row.notes.join()).toContain('is one that the pool knows');
});

test('one that it does not know fails, though the API answers', async () => {
  const row = await rowOf(['0'.repeat(64)]);
  expect(row.verdict).toBe('fail');
  expect(row.because).toContain(`under the name xapi:pool it shows the certificate ${pinOf(forMembers)}`);
  expect(row.remedy).toContain('xe certificate-list type=host_internal');
});

test('where nobody verifies it, it is looked at alone', async () => {
  const row = await rowOf(undefined);
  expect(row.verdict).toBe('pass');
  expect(row.notes.join()).not.toContain('the pool knows');
});
