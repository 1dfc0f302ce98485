/** Time limits in milliseconds: checked, and as timers. */

/** Time limit of a request and of an attempt to connect where none is given. */
export const DEFAULT_TIMEOUT = 10_000;
/** Longest delay that `setTimeout` takes: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Return a time limit, with 0 as Infinity; throws a RangeError where it is no number of milliseconds. */
export function checkedTimeout(timeout: number): number {
  if (typeof timeout === "number" && timeout >= 0) return timeout || Infinity;
  throw new RangeError(`timeout: expected milliseconds, 0 or more, got ${timeout}; 0 waits without a limit`);
}

/** Call back after a delay, unless it is beyond 24 days; returns a function that cancels the timer. */
export function startTimer(delay: number, callback: () => void): () => void {
  if (delay > LONGEST_TIMER) return () => {};
  const timer = setTimeout(callback, delay);
  return () => clearTimeout(timer);
}
