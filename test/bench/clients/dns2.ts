/** dns2's own UDP client, 256 at a time. One line of JSON. */
import { UDPClient } from 'dns2';

const count = Number(process.argv[2]);
const resolve = UDPClient({ dns: '127.1.0.1' });
const cpu = process.cpuUsage();
const began = performance.now();
let next = 0;
let answered = 0;
await Promise.all(Array.from({ length: 256 }, work));
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(
  `${JSON.stringify({ wallMs: performance.now() - began, cpuMs: (user + system) / 1000, answered })}\n`,
);

async function work(): Promise<void> {
  while (next < count) {
    next += 1;
    const { answers } = await resolve('a.bench.test');
    if (answers.length === 1) answered += 1;
  }
}
