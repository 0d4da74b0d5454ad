/** The program of one thread of ConnectThreads: sockets and their deadlines, nothing of checks, plans or outcomes of rows. */
import { parentPort, workerData } from 'node:worker_threads';
import { usual, type Ending, type Endings, type Orders, type ThreadOptions } from './connect-threads.ts';
import { Connects, launchesPerTurn } from './connects.ts';
import { Crowd } from './crowd.ts';
import { Deadlines } from './deadlines.ts';
import type { NetFailure } from '../model/errors.ts';

/** A message to another thread costs as much as a connection. */
const tellAtOnce = 128;

const { timeoutMs, sourceAddress, share }: ThreadOptions = workerData;
const port = parentPort!;
/** Messages with connections to begin, and where in the first of them the next one stands. */
const waiting: Orders[] = [];
let next = 0;
let isLaunching = false;
let isTelling = false;
let told: Endings = { launched: 0, slots: [], ms: [], endings: [] };

// Nobody reads the stack traces of refusals (src/run/run.ts).
Error.stackTraceLimit = 0;

const connects = new Connects<number>(new Deadlines(), {
  timeoutMs,
  sourceAddress,
  counters: { connects: 0 },
  crowd: new Crowd({ share }),
  told: (slot, failure, ms) => {
    told.slots.push(slot);
    told.ms.push(ms);
    told.endings.push(endingOf(failure));
    tellSoon();
  },
});

port.on('message', (orders: Orders) => {
  waiting.push(orders);
  if (!isLaunching) launch();
});

function launch(): void {
  for (let left = launchesPerTurn; left > 0 && waiting.length > 0; left -= 1) {
    const { slots, addresses, ports } = waiting[0]!;
    connects.start(slots[next]!, addresses[next]!, ports[next]!);
    told.launched += 1;
    next += 1;
    if (next < slots.length) continue;
    waiting.shift();
    next = 0;
  }
  isLaunching = waiting.length > 0;
  if (isLaunching) setImmediate(launch);
  else tellSoon();
}

function tellSoon(): void {
  if (isTelling) return;
  isTelling = true;
  setImmediate(tell);
}

/** While there is more to launch, nobody waits for these: then a message for each turn would cost more than it tells. */
function tell(): void {
  if (isLaunching && told.launched < tellAtOnce) return void setImmediate(tell);
  isTelling = false;
  // A thread takes no target origin.
  port.postMessage(told);
  told = { launched: 0, slots: [], ms: [], endings: [] };
}

function endingOf(failure: NetFailure | undefined): Ending {
  if (!failure) return usual.connected;
  if (failure.outcome === 'timeout' && failure.code === undefined) return usual.expired;
  return failure.outcome === 'refused' ? usual.refused : failure;
}
