/** Node's own share: a loop that opens and destroys `net.Socket`, and keeps nothing. One line of JSON. */
import { Socket } from 'node:net';

const [first = '127.1.0.1', hosts = '250', port = '10000', ports = '400'] = process.argv.slice(2);
const network = first.slice(0, first.lastIndexOf('.') + 1);
const count = Number(hosts) * Number(ports);
const launchesPerTurn = 16;
const outcomes = { answered: 0, refused: 0 };
const cpu = process.cpuUsage();
const began = performance.now();
let next = 0;
let isLaunching = false;

Error.stackTraceLimit = 0;
wake();

function wake(): void {
  if (isLaunching || next === count) return;
  isLaunching = true;
  setImmediate(launch);
}

function launch(): void {
  isLaunching = false;
  const until = Math.min(next + launchesPerTurn, count);
  for (; next < until; next += 1) {
    const host = `${network}${1 + (next % Number(hosts))}`;
    const socket = new Socket();
    socket.on('connect', onConnect).on('error', onError);
    socket.connect({ host, port: Number(port) + Math.floor(next / Number(hosts)), family: 4, autoSelectFamily: false });
  }
}

function onConnect(this: Socket): void {
  end(this, 'answered');
}

function onError(this: Socket): void {
  end(this, 'refused');
}

function end(socket: Socket, outcome: keyof typeof outcomes): void {
  socket.destroy();
  outcomes[outcome] += 1;
  if (outcomes.answered + outcomes.refused < count) return wake();
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - began;
  process.stdout.write(`${JSON.stringify({ wallMs, cpuMs: (user + system) / 1000, ...outcomes })}\n`);
}
