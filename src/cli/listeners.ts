/** Who listens while a check goes on: the streams, the progress line and the log. */
import type { CheckEvents } from '../check/check.ts';
import type { ReportCheck } from '../model/report.ts';
import { reporters } from '../report/index.ts';
import type { Log } from './log.ts';
import type { Arguments } from './options.ts';
import type { Sink } from './outputs.ts';
import { ProgressLine } from './progress.ts';

export interface Listeners {
  readonly events: CheckEvents;
  /** Some report is made of all the checks at the end. */
  readonly keepsChecks: boolean;
  /** Nothing more will happen: what is still held back is written. */
  readonly end: () => void;
}

export function listenersFor(sinks: readonly Sink[], log: Log, values: Arguments): Listeners {
  const streams = sinks.flatMap((sink) => {
    const { stream } = reporters[sink.format];
    return stream ? [{ sink, stream }] : [];
  });
  const lines = streams.map(({ sink, stream }) => ({ stream, out: new Lines(sink) }));
  const progress = new ProgressLine(values);
  const logged = (check: ReportCheck): void =>
    log.debug(() => {
      const { id, outcome, stage, durationMs, detail } = check;
      return [{ check: id, outcome, stage, ms: durationMs }, detail ?? ''];
    });
  return {
    keepsChecks: streams.length < sinks.length,
    events: {
      onStart: (head) => lines.forEach(({ stream, out }) => out.add(() => stream.start(head))),
      onCheck: (check) => {
        for (const { stream, out } of lines) out.add(() => stream.check(check));
        logged(check);
      },
      onRow: (row) => lines.forEach(({ stream, out }) => out.add(() => stream.row(row))),
      onEnd: (tail) => lines.forEach(({ stream, out }) => out.add(() => stream.end(tail))),
      onProgress: (news) => progress.show(news),
      onDefect: ({ id }, error) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        log.error({ check: id }, `a defect of xenreach: ${text}`);
      },
    },
    end: () => {
      progress.end();
      for (const { out } of lines) out.flush();
    },
  };
}

/** A line as it happens, where a turn of the event loop is one moment: a write each would cost as much as the check. */
class Lines {
  readonly #sink: Sink;
  #waiting: string[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  add(line: () => string): void {
    if (this.#waiting.push(line()) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#sink.write(text);
  }
}
