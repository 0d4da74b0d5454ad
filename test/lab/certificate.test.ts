/** Certificates made by hand, read by OpenSSL; and the vendor's domains behind the lab's proxy, well and broken. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dayMs, inDays, makeAuthority, makeSelfSigned, soundLeaf } from '../../src/lab/certificate.ts';
import { startLab, type Lab } from '../../src/lab/index.ts';
import { SiteFile } from '../../src/model/site.ts';

const authority = makeAuthority('test authority');
const root = new X509Certificate(authority.certificate);

test('an authority signs itself and may sign others', () => {
  expect(root.ca).toBe(true);
  expect(root.checkIssued(root)).toBe(true);
  expect(root.verify(root.publicKey)).toBe(true);
});

test('a leaf holds its names and is signed by its authority', () => {
  const { cert } = authority.issue(soundLeaf('peer.test', ['peer.test', '127.0.0.5', '2001:db8::1']));
  const leaf = new X509Certificate(cert);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(root)).toBe(true);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.checkHost('peer.test')).toBe('peer.test');
  expect(leaf.checkHost('other.test')).toBeUndefined();
  expect(leaf.checkIP('127.0.0.5')).toBe('127.0.0.5');
  expect(leaf.checkIP('2001:db8::1')).toBe('2001:db8::1');
  expect(leaf.subject).toContain('CN=peer.test');
});

test('a self-signed leaf is its own issuer', () => {
  const leaf = new X509Certificate(makeSelfSigned(soundLeaf('self.test')).cert);
  expect(leaf.issuer).toBe(leaf.subject);
  expect(leaf.verify(leaf.publicKey)).toBe(true);
});

test.for([-4000, -1, 9, 5000, 30_000])('a leaf ends when it should: in %i days', (days) => {
  const validTo = inDays(days);
  const { cert } = authority.issue({ ...soundLeaf('peer.test'), validTo });
  const written = new X509Certificate(cert).validToDate.getTime();
  expect(Math.abs(written - validTo.getTime())).toBeLessThan(dayMs / 1000);
});

describe('through the proxy', () => {
  test.for(['repo.ops.xenserver.com', 'telemetry.ops.xenserver.com', 'any.citrix.com', 'storage.googleapis.com'])(
    'the healthy %s is trusted',
    async (name) => {
      const lab = await startLab({ broken: false });
      try {
        expect(await reach(lab, name)).toEqual({
          status: 200,
          tls: 'trusted',
          http: expect.stringMatching(/^HTTP\/1.1 403 /),
        });
      } finally {
        await lab.close();
      }
    },
  );

  test.for([
    ['updates.ops.xenserver.com', { status: 200, tls: 'trusted' }],
    ['repo.ops.xenserver.com', { status: 200, tls: 'SELF_SIGNED_CERT_IN_CHAIN' }],
    ['storage.googleapis.com', { status: 200, tls: 'CERT_HAS_EXPIRED' }],
    ['pvupdates.vmd.citrix.com', { status: 200, tls: 'CERT_NOT_YET_VALID' }],
    ['support.citrix.com', { status: 200, tls: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['downloadns.citrix.com.edgesuite.net', { status: 200, tls: 'ERR_SSL_WRONG_VERSION_NUMBER' }],
    ['fileservice.citrix.com', { status: 200, tls: 'ECONNRESET' }],
    ['repo-src.ops.xenserver.com', { status: 403 }],
    ['telemetry.ops.xenserver.com', { status: 503 }],
    ['www.citrix.com', { status: 407 }],
    ['elsewhere.example', { status: 503 }],
  ] as const)('the broken %s', async ([name, expected]) => {
    const lab = await startLab({ broken: true });
    try {
      expect(await reach(lab, name)).toMatchObject(expected);
    } finally {
      await lab.close();
    }
  });
});

interface Reached {
  readonly status: number;
  readonly tls?: string;
  readonly http?: string;
}

async function reach(lab: Lab, name: string): Promise<Reached> {
  const site = v.parse(SiteFile, parse(lab.site));
  const proxy = new URL(site.proxy?.url ?? '');
  const socket = net.connect(Number(proxy.port), proxy.hostname);
  socket.on('error', () => undefined);
  socket.write(`CONNECT ${name}:443 HTTP/1.1\r\nHost: ${name}:443\r\n\r\n`);
  const [head] = await once(socket, 'data');
  const status = Number(String(head).split(' ')[1]);
  if (status !== 200) {
    socket.destroy();
    return { status };
  }
  const ca = (site.trust ?? []).map((file) => readFileSync(file, 'utf8'));
  const secured = tls.connect({ socket, servername: name, ca });
  try {
    await once(secured, 'secureConnect');
    secured.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    const [page] = await once(secured, 'data');
    return { status, tls: 'trusted', http: String(page) };
  } catch (error) {
    const isCoded = error instanceof Error && 'code' in error;
    return { status, tls: isCoded ? String(error.code) : 'no code' };
  } finally {
    secured.destroy();
    socket.destroy();
  }
}
