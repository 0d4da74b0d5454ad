/** `/events`: Server-Sent Events, one when something changed, a comment now and then so that proxies keep the line. */
import type { Watch } from './watch.ts';

const beatMs = 20_000;
const most = 64;
let open = 0;

export function eventStream(watch: Watch, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let release = (): void => undefined;
  return new ReadableStream({
    start(controller) {
      let isOver = false;
      const send = (text: string): void => {
        if (!isOver) controller.enqueue(encoder.encode(text));
      };
      const timer = setInterval(() => send(': still here\n\n'), beatMs);
      const off = watch.onChange(() => send('event: change\ndata: {}\n\n'));
      open += 1;
      release = () => {
        if (isOver) return;
        isOver = true;
        open -= 1;
        clearInterval(timer);
        off();
        signal.removeEventListener('abort', end);
      };
      const end = (): void => {
        release();
        controller.close();
      };
      signal.addEventListener('abort', end, { once: true });
      send('retry: 5000\n\n');
      // So many tabs nobody has: who comes too late asks again by and by.
      if (open > most || signal.aborted) end();
    },
    cancel: () => release(),
  });
}
