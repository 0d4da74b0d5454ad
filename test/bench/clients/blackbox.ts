/** Runs blackbox_exporter on one processor and asks it, 64 at a time. Its own metrics say what it used. One line of JSON. */
import { spawn } from 'node:child_process';
import { Agent, get } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const [config = '', ports = '40', count = '10000'] = process.argv.slice(2);
const where = 'http://127.0.0.1:9115';
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const options = [`--config.file=${config}`, '--web.listen-address=127.0.0.1:9115'];
const [pin, ...exporterOnOne] = ['taskset', '-c', '0', 'prometheus-blackbox-exporter', ...options] as const;
const exporter = spawn(pin, exporterOnOne);
exporter.stdout.resume();
exporter.stderr.resume();
// It says that it listens a moment before it does.
while ((await read('/metrics').catch(() => '')) === '') await setTimeout(50);

const before = Number(await metric('process_cpu_seconds_total'));
const began = performance.now();
let next = 0;
let answered = 0;
await Promise.all(Array.from({ length: 64 }, work));
const wallMs = performance.now() - began;
const cpuMs = (Number(await metric('process_cpu_seconds_total')) - before) * 1000;
exporter.kill();
process.stdout.write(`${JSON.stringify({ wallMs, cpuMs, answered })}\n`);
process.exit(answered === Number(count) ? 0 : 1);

async function work(): Promise<void> {
  while (next < Number(count)) {
    const i = next;
    next += 1;
    const target = `127.1.0.${1 + (i % 250)}:${10_000 + (Math.floor(i / 250) % Number(ports))}`;
    if ((await read(`/probe?module=tcp&target=${target}`)).includes('probe_success 1')) answered += 1;
  }
}

async function metric(name: string): Promise<string | undefined> {
  return new RegExp(`^${name} (.*)$`, 'm').exec(await read('/metrics'))?.[1];
}

function read(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(where + path, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
    });
    request.on('error', reject);
  });
}
