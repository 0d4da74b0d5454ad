/**
 * How long a busy machine may take for a quick step, so that no test depends on its speed. A step that never ends, or waits
 * for a timeout that it should not wait for, takes longer.
 */
export const patienceMs = 15_000;
