/** Time limits in milliseconds: checked, and as timers. */

/** Time limit of a request and of an attempt to connect where none is given. */
export const DEFAULT_TIMEOUT = 10_000;
/** Longest delay that `setTimeout` takes: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** A timer that fires this much too late tells that the page was frozen; it is extended by as much. */
const FROZEN = 1000;

/** Return a time limit, with 0 as Infinity; throws a RangeError where it is no number of milliseconds. */
export function checkedTimeout(timeout: number): number {
  if (typeof timeout === "number" && timeout >= 0) return timeout || Infinity;
  throw new RangeError(`timeout: expected milliseconds, 0 or more, got ${timeout}; 0 waits without a limit`);
}

/**
 * Call back when a time limit is over; returns a function that cancels it. A limit beyond 24 days is none.
 *
 * Where the page was frozen meanwhile, messages that arrived in time wait to be handled: they are first.
 */
export function startTimeLimit(timeout: number, expire: () => void): () => void {
  if (timeout > LONGEST_TIMER) return () => {};
  const due = performance.now() + timeout;
  let timer = setTimeout(() => {
    if (performance.now() - due < FROZEN) expire();
    else timer = setTimeout(expire, FROZEN);
  }, timeout);
  return () => clearTimeout(timer);
}
