/** The reports of a pool of 64 hosts: 506 checks each, of which most go to the other members. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportOf } from '../merge/reports.ts';

export const poolHosts = 64;
export const checksEach = 506;

/** Resolves to their files. */
export function writePoolReports(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: poolHosts }, (_, at) => {
    const others = Array.from({ length: poolHosts }, (__, host) => `10.0.0.${host + 1}`).filter(
      (___, host) => host !== at,
    );
    const endpoints = Array.from({ length: checksEach - others.length }, (__, i) => `10.1.${i >> 6}.${i & 63}`);
    const report = reportOf({
      hostname: `xs-${at + 1}`,
      addresses: ['127.0.0.1', `10.0.0.${at + 1}`],
      rows: { 'pool-management': { hosts: others }, ntp: { hosts: endpoints } },
    });
    const checks = report.checks.map((check) => Object.assign({}, check, { evidence }));
    const file = join(folder, `xs-${at + 1}.json`);
    writeFileSync(file, `${JSON.stringify({ ...report, checks }, null, 2)}\n`);
    return file;
  });
}

/** About as much as a check has in the mean. */
const evidence = {
  connectMs: 0.42,
  tlsProtocol: 'TLSv1.3',
  certificate: { subject: 'CN=xs1.example.test', issuer: 'CN=xs1.example.test', notAfter: '2035-11-25T11:00:00.000Z' },
};
