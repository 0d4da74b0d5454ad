/** The program of one thread of a ThreadedConnector: it knows sockets and their deadlines, and nothing of checks. */
import { parentPort, workerData } from 'node:worker_threads';
import { emptyResultBatch, resultOf, type ConnectBatch, type ThreadOptions } from './connector-messages.ts';
import { Deadlines } from './deadlines.ts';
import { launchesPerTurn, LoopConnector } from './loop-connector.ts';
import { TimeWaitBudget } from './time-wait.ts';

/** A message to another thread costs as much as a connection: while there is more to launch, one tells of this many. */
const sendAtOnce = 128;

const { timeoutMs, sourceAddress, share }: ThreadOptions = workerData;
const port = parentPort!;
/** Connections to begin, and the index in the first batch of the one that is next. */
const batches: ConnectBatch[] = [];
let next = 0;
let isLaunching = false;
let isSending = false;
let results = emptyResultBatch();

// Nobody reads the stack traces of refusals (src/run/stack-traces.ts).
Error.stackTraceLimit = 0;

const connector = new LoopConnector<number>(
  new Deadlines(),
  {
    timeoutMs,
    sourceAddress,
    counters: { connects: 0 },
    onResult: (slot, failure, ms) => {
      results.slots.push(slot);
      results.ms.push(ms);
      results.results.push(resultOf(failure));
      sendSoon();
    },
  },
  new TimeWaitBudget({ share }),
);

port.on('message', (batch: ConnectBatch) => {
  batches.push(batch);
  if (!isLaunching) launch();
});

function launch(): void {
  for (let left = launchesPerTurn; left > 0 && batches.length > 0; left -= 1) {
    const { slots, addresses, ports } = batches[0]!;
    connector.start(slots[next]!, addresses[next]!, ports[next]!);
    results.launched += 1;
    next += 1;
    if (next < slots.length) continue;
    batches.shift();
    next = 0;
  }
  isLaunching = batches.length > 0;
  if (isLaunching) setImmediate(launch);
  else sendSoon();
}

function sendSoon(): void {
  if (isSending) return;
  isSending = true;
  setImmediate(send);
}

function send(): void {
  if (isLaunching && results.launched < sendAtOnce) return void setImmediate(send);
  isSending = false;
  // A thread takes no target origin.
  port.postMessage(results);
  results = emptyResultBatch();
}
