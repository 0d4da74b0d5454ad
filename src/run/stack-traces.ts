/**
 * Node makes an Error of every refusal, and we of every silence. Where there are many, their stack traces are a good part of
 * what they cost, and nobody reads them: a large run does without. Measured in docs/performance.md.
 */

const mostTracedChecks = 1000;

/** Returns what brings them back. */
export function withoutStackTraces(checks: number): () => void {
  if (checks < mostTracedChecks) return () => undefined;
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  return () => {
    Error.stackTraceLimit = before;
  };
}
