/**
 * How long a busy machine may take for what is quick: no test depends on its speed. What would never end, or would wait for
 * a timeout that it should not wait for, takes longer than this.
 */
export const patienceMs = 15_000;
