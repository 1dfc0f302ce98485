/** Estimates the server's clock from pings; of the recent pings, that with the shortest round trip counts. */

/** How long a ping is kept, milliseconds. */
const WINDOW = 30_000;
/** Greatest rate at which the estimate moves towards a better one: milliseconds by millisecond. */
const SLEW = 0.02;
/** A larger error is corrected at once, milliseconds. */
const STEP = 100;

interface Sample {
  at: number;
  rtt: number;
  offset: number;
}

/** An estimate of a server's clock; all times are milliseconds. */
export class ServerClock {
  /** Round-trip time of the last ping. */
  rtt = NaN;
  private samples: Sample[] = [];
  private offset = NaN;
  private movedAt = 0;

  /** Set a first estimate before any ping: the server's time in its hello, and the local time of receipt. */
  guess(server: number, now: number): void {
    if (Number.isNaN(this.offset)) [this.offset, this.movedAt] = [server - now, now];
  }

  /** Add an answered ping: local times of sending and of the answer, and the server's time in the answer. */
  pong(sentAt: number, server: number, answeredAt: number): void {
    this.rtt = answeredAt - sentAt;
    this.samples.push({ at: answeredAt, rtt: this.rtt, offset: server - (sentAt + answeredAt) / 2 });
    this.samples = this.samples.filter((sample) => answeredAt - sample.at < WINDOW);
    if (Math.abs(this.best.offset - this.offset) > STEP || this.samples.length < 5) this.offset = this.best.offset;
  }

  /** Discard all pings: the next server may be another one. */
  reset(): void {
    this.samples = [];
    this.offset = this.rtt = NaN;
  }

  /** Return the server's time at a local time; moves the estimate a little towards the best ping's. */
  at(now: number): number {
    if (this.samples.length) {
      const most = SLEW * Math.max(0, now - this.movedAt);
      this.offset += Math.min(most, Math.max(-most, this.best.offset - this.offset));
    }
    this.movedAt = now;
    return now + this.offset;
  }

  private get best(): Sample {
    return this.samples.reduce((a, b) => (b.rtt < a.rtt ? b : a));
  }
}
