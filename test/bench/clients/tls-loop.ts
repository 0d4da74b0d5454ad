/** The least that a verified handshake costs in Node: one context, one socket, nothing looked at. One line of JSON. */
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { connect, createSecureContext } from 'node:tls';
import { rootCertificates } from 'node:tls';
import { parseArgs } from 'node:util';
import { checksOf } from './checks.ts';

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '127.1.0.1' },
    hosts: { type: 'string', default: '50' },
    port: { type: 'string', default: '10000' },
    ports: { type: 'string', default: '80' },
    concurrency: { type: 'string', default: '32' },
    trust: { type: 'string', default: '' },
  },
});
const endpoints = checksOf({
  first: values.first,
  hosts: Number(values.hosts),
  port: Number(values.port),
  ports: Number(values.ports),
});
const secureContext = createSecureContext({ ca: [...rootCertificates, readFileSync(values.trust, 'utf8')] });
const next = endpoints[Symbol.iterator]();
const cpu = process.cpuUsage();
const began = performance.now();
let answered = 0;
await Promise.all(Array.from({ length: Number(values.concurrency) }, work));
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(
  `${JSON.stringify({ wallMs: performance.now() - began, cpuMs: (user + system) / 1000, answered })}\n`,
);

async function work(): Promise<void> {
  for (const { host, port } of next) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ socket: connectTcp({ host, port }), host, secureContext }, () => {
        answered += 1;
        socket.destroy();
        resolve();
      });
      socket.on('error', reject);
    });
  }
}
