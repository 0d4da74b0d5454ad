/** The run floor alone: plan in, observations counted, nothing judged and nothing reported. One line of JSON. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as probes from '../../../probes/index.ts';
import { run } from '../../../src/run/run.ts';
import { checksOf } from './checks.ts';

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '127.1.0.1' },
    hosts: { type: 'string', default: '250' },
    port: { type: 'string', default: '10000' },
    ports: { type: 'string', default: '400' },
    probe: { type: 'string', default: 'tcp' },
    options: { type: 'string', default: '{"linger":0}' },
    concurrency: { type: 'string', default: '1024' },
    'grow-to': { type: 'string' },
    'per-host': { type: 'string', default: '8' },
    rate: { type: 'string', default: '1000000' },
    timeout: { type: 'string', default: '5000' },
    retries: { type: 'string', default: '2' },
    /** The whole field so often. */
    repeat: { type: 'string', default: '1' },
    /** So many of the checks wait for words that never come. */
    mute: { type: 'string', default: '0' },
    trust: { type: 'string' },
  },
});
const field = {
  first: values.first,
  hosts: Number(values.hosts),
  port: Number(values.port),
  ports: Number(values.ports),
};
const probe = Object.entries(probes).find(([name]) => name === values.probe)?.[1];
if (!probe) throw new RangeError(`no probe is called ${values.probe}`);
const options = JSON.parse(values.options) as Record<string, unknown>;
const mute = Number(values.mute);
const muted = { ...options, expect: 'never' };
const transport = probe.transport === 'udp' ? 'udp' : 'tcp';
const checks = checksOf(field, values.probe, transport, (i) => (i < mute ? muted : options), Number(values.repeat));

const outcomes: Record<string, number> = {};
const connectMs: number[] = [];
const lateMs: number[] = [];
const timeoutMs = Number(values.timeout);
const cpu = process.cpuUsage();
const began = performance.now();
const { done } = run(
  checks,
  {
    concurrency: Number(values.concurrency),
    growTo: values['grow-to'] === undefined ? undefined : Number(values['grow-to']),
    perHost: Number(values['per-host']),
    rate: Number(values.rate),
    timeoutMs,
    retries: Number(values.retries),
    family: 'any',
    sourceAddress: undefined,
    proxy: null,
    trust: values.trust === undefined ? [] : [readFileSync(values.trust, 'utf8')],
    ownAddresses: [],
    probes: Object.fromEntries(Object.entries(probes)) as Parameters<typeof run>[1]['probes'],
  },
  {
    onObservation: ({ observation: { outcome, durationMs, evidence } }) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'timeout') lateMs.push(durationMs - timeoutMs);
      const took = evidence['connectMs'];
      if (typeof took === 'number') connectMs.push(took);
    },
    onSelf: () => undefined,
    onBug: (_, error) => {
      throw error;
    },
  },
);
const { maxInFlight } = await done;
const wallMs = performance.now() - began;
const { user, system } = process.cpuUsage(cpu);
const told = {
  wallMs,
  cpuMs: (user + system) / 1000,
  userMs: user / 1000,
  peakMiB: process.resourceUsage().maxRSS / 1024,
  maxInFlight,
  p50: quantile(connectMs, 0.5),
  p99: quantile(connectMs, 0.99),
  lateP99: quantile(lateMs, 0.99),
  ...outcomes,
};
process.stdout.write(`${JSON.stringify(told)}\n`);

function quantile(sample: number[], q: number): number {
  sample.sort((a, b) => a - b);
  return sample[Math.min(sample.length - 1, Math.floor(sample.length * q))] ?? 0;
}
