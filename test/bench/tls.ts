/** Verified handshakes, never a resumed one: what a probe costs beside tls.connect in a loop with the same trust. */
import { mkdirSync } from 'node:fs';
import { makeAuthority } from '../support/certificates.ts';
import { atMost, cpuOf, linesOf, ratio, type Benchmark } from './kit/benchmark.ts';
import { contest } from './kit/contest.ts';
import { client, put, whyNot } from './kit/tools.ts';

const hosts = 50;
const port = 10_000;

export const tls: Benchmark = {
  name: 'tls',
  about: '4,000 verified handshakes',
  async run({ rounds, scale }) {
    const skipped = whyNot('nginx');
    if (skipped !== undefined) return { skipped };
    const ports = Math.ceil(80 * scale);
    const authority = makeAuthority();
    const leaf = authority.issue({
      names: Array.from({ length: hosts }, (_, i) => `127.1.0.${i + 1}`),
      algorithm: 'ec',
    });
    const trust = put('tls-authority.pem', authority.certificate);
    const files = {
      certificate: put('tls.pem', leaf.certificate),
      key: put('tls.key', leaf.key),
    };
    const conf = put('nginx.conf', nginxConf(ports, files));
    mkdirSync(`${conf}.d`, { recursive: true });
    const field = [
      '--hosts',
      `${hosts}`,
      '--port',
      `${port}`,
      '--ports',
      `${ports}`,
      '--trust',
      trust,
      '--concurrency',
      '32',
    ];
    const runs = await contest({
      rounds,
      contenders: [
        { name: 'tls.connect loop', argv: [...client('tls-loop'), ...field] },
        {
          name: 'xenreach pool',
          argv: [...client('pool'), ...field, '--probe', 'tls', '--options', '{"trust":"verify"}'],
        },
      ],
      prepare: (space) => space.serve(['nginx', '-p', `${conf}.d`, '-c', conf, '-e', 'stderr']),
    });
    const failed = runs.get('xenreach pool')!.map(({ told }) => hosts * ports - (told['answered'] ?? 0));
    return {
      figures: [
        atMost('CPU / bare loop', ratio(runs, 'xenreach pool', 'tls.connect loop', cpuOf), 1.1),
        atMost('not answered', Math.max(...failed), 0),
      ],
      table: linesOf(runs, hosts * ports),
    };
  },
};

const nginxConf = (ports: number, { certificate, key }: { certificate: string; key: string }): string => `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`).join(' ')}
  server {
    ${Array.from({ length: ports }, (_, i) => `listen ${port + i} ssl;`).join(' ')}
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    return 200 "ok";
  }
}`;
