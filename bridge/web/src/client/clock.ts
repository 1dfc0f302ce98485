/** The server's clock, from pings: of the last ones, that with the shortest way there and back is believed. */

/** How long a ping counts, milliseconds. */
const WINDOW = 30_000;
/** Share of the time that passes by which the estimate may drift towards a better one. */
const SLEW = 0.02;
/** An error over this is put right at once, milliseconds. */
const STEP = 100;

interface Sample {
  at: number;
  rtt: number;
  offset: number;
}

/** Estimates what a server's clock shows; all times are milliseconds. */
export class ServerClock {
  /** Round trip of the last ping. */
  rtt = NaN;
  private samples: Sample[] = [];
  private offset = NaN;
  private moved = 0;

  /** Take a first guess before any ping: the hello's time, at the moment that it came. */
  guess(server: number, now: number): void {
    if (Number.isNaN(this.offset)) [this.offset, this.moved] = [server - now, now];
  }

  /** Take an answered ping: local times of asking and of the answer, the server's time in it. */
  pong(asked: number, server: number, answered: number): void {
    this.rtt = answered - asked;
    this.samples.push({ at: answered, rtt: this.rtt, offset: server - (asked + answered) / 2 });
    this.samples = this.samples.filter((sample) => answered - sample.at < WINDOW);
    if (Math.abs(this.best.offset - this.offset) > STEP || this.samples.length < 5) this.offset = this.best.offset;
  }

  /** Forget all: another server may answer next. */
  reset(): void {
    this.samples = [];
    this.offset = this.rtt = NaN;
  }

  /** Return the server's time at a local time; moves the estimate a little towards the best one known. */
  at(now: number): number {
    if (this.samples.length) {
      const most = SLEW * Math.max(0, now - this.moved);
      this.offset += Math.min(most, Math.max(-most, this.best.offset - this.offset));
    }
    this.moved = now;
    return now + this.offset;
  }

  private get best(): Sample {
    return this.samples.reduce((a, b) => (b.rtt < a.rtt ? b : a));
  }
}
