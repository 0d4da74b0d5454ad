/** The program of one thread of ConnectThreads: sockets and their deadlines, nothing of checks, plans or outcomes of rows. */
import { parentPort, workerData } from 'node:worker_threads';
import { usual, type Ending, type Endings, type Orders, type ThreadOptions } from './connect-threads.ts';
import { Connects } from './connects.ts';
import { Crowd } from './crowd.ts';
import { Deadlines } from './deadlines.ts';
import type { NetFailure } from '../model/errors.ts';

/** As many as the pool launches in a turn without threads, and for the same reason: the latency is to be the network's. */
const launchesPerTurn = 16;

/** A message to another thread costs as much as a connection. */
const tellAtOnce = 128;

const { timeoutMs, sourceAddress, threads }: ThreadOptions = workerData;
const port = parentPort!;
const waiting: Orders = { slots: [], addresses: [], ports: [] };
let next = 0;
let isLaunching = false;
let isTelling = false;
let told: Endings = { slots: [], ms: [], endings: [] };

// Nobody reads the stack traces of refusals (src/run/run.ts).
Error.stackTraceLimit = 0;

const connects = new Connects<number>(new Deadlines(), {
  timeoutMs,
  sourceAddress,
  counters: { connects: 0 },
  crowd: new Crowd({ share: threads }),
  told: (slot, failure, ms) => {
    told.slots.push(slot);
    told.ms.push(ms);
    told.endings.push(endingOf(failure));
    if (isTelling) return;
    isTelling = true;
    setImmediate(tell);
  },
});

port.on('message', ({ slots, addresses, ports }: Orders) => {
  waiting.slots.push(...slots);
  waiting.addresses.push(...addresses);
  waiting.ports.push(...ports);
  if (!isLaunching) launch();
});

function launch(): void {
  const until = Math.min(next + launchesPerTurn, waiting.slots.length);
  for (; next < until; next += 1) connects.start(waiting.slots[next]!, waiting.addresses[next]!, waiting.ports[next]!);
  isLaunching = next < waiting.slots.length;
  if (isLaunching) return void setImmediate(launch);
  waiting.slots.length = waiting.addresses.length = waiting.ports.length = next = 0;
}

/** While there is more to launch, nobody waits for these: then a message for each turn would cost more than it tells. */
function tell(): void {
  if (isLaunching && told.slots.length < tellAtOnce) return void setImmediate(tell);
  isTelling = false;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  port.postMessage(told);
  told = { slots: [], ms: [], endings: [] };
}

function endingOf(failure: NetFailure | undefined): Ending {
  if (!failure) return usual.connected;
  if (failure.outcome === 'timeout' && failure.code === undefined) return usual.expired;
  return failure.outcome === 'refused' ? usual.refused : failure;
}
