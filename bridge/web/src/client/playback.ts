/** From frames that come when the network lets them to a pose for any moment: a jitter buffer that interpolates. */

import type { Frame } from "./wire.js";

/** Frames that are kept, ten seconds: a page in the background draws none. */
const KEPT = 300;
/** Arrivals that the delay is chosen from: three seconds. */
const ARRIVALS = 90;
/** Share of arrivals that are to be early enough. */
const QUANTILE = 0.97;
/** Most that the delay may be, milliseconds. */
const LONGEST = 500;
/** How much faster or slower than time playback may run to get where it should be. */
const HURRY = 0.1;
/** An error over this is put right at once, milliseconds. */
const JUMP = 300;
/** A root that goes further than this between two frames was put there, not moved; metres. */
const TELEPORT = 0.6;

/** What a character looks like at one moment. */
export interface Pose {
  root: Float32Array;
  rotations: Float32Array;
  /** Contacts, seq and obeys are those of the frame that is on the screen. */
  contacts: number;
  seq: number;
  obeys: number;
}

/** The frames of one character, and where in them playback is. All times are milliseconds of the server's clock. */
export class Playback {
  /** How far behind the server's clock playback wants to be. */
  delay: number;
  private frames: Frame[] = [];
  private lateness: number[] = [];
  private head = NaN;
  private asked = NaN;
  private out: Pose | null = null;

  /** For frames that come `fps` times a second. */
  constructor(private readonly fps: number) {
    this.delay = 1.5 * this.interval;
  }

  private get interval(): number {
    return 1000 / this.fps;
  }

  /** The moment that is on the screen; NaN before any. */
  get at(): number {
    return this.head;
  }

  /** How much is waiting to be played, milliseconds. */
  get buffered(): number {
    const last = this.frames.at(-1);
    return last && !Number.isNaN(this.head) ? Math.max(0, last.time / 1000 - this.head) : 0;
  }

  /** Forget all frames: those that follow have another clock. */
  clear(): void {
    this.frames = [];
    this.lateness = [];
    this.head = NaN;
  }

  /** Take a frame that came when the server's clock showed `arrival`. */
  push(frame: Frame, arrival: number): void {
    const last = this.frames.at(-1);
    if (last && frame.time <= last.time) return;
    this.frames.push(frame);
    if (this.frames.length > KEPT) this.frames.shift();
    this.lateness.push(arrival - frame.time / 1000);
    if (this.lateness.length > ARRIVALS) this.lateness.shift();
    this.choose();
  }

  /** Return the pose at a moment, or null before the first frame. The same object is returned every time. */
  sample(now: number): Pose | null {
    const first = this.frames[0];
    if (!first) return null;
    this.advance(now);
    const head = this.head * 1000;
    while (this.frames.length > 1 && this.frames[1]!.time <= head) this.frames.shift();
    const [a, b] = this.frames as [Frame, Frame | undefined];
    const out = (this.out ??= emptyPose(a.rotations.length));
    // After a pause the pose holds, and moves in the last interval before the frame that ends it.
    const from = b ? Math.max(a.time, b.time - 2000 * this.interval) : 0;
    const share = b ? Math.min(1, Math.max(0, (head - from) / (b.time - from))) : 0;
    if (!b || isTeleport(a, b)) copy(a, out);
    else blend(a, b, share, out);
    const shown = b && share > 0.5 ? b : a;
    out.contacts = shown.contacts;
    out.seq = shown.seq;
    out.obeys = shown.obeys;
    return out;
  }

  /** Lateness that most arrivals stay under, and one interval more: the next frame has to be there to move towards. */
  private choose(): void {
    const sorted = [...this.lateness].sort((a, b) => a - b);
    const late = sorted[Math.min(sorted.length - 1, Math.floor(QUANTILE * sorted.length))]!;
    const wanted = Math.min(LONGEST, Math.max(0, late) + 1.2 * this.interval);
    // Quick to grow, slow to shrink: a hiccup is often the first of several.
    this.delay += (wanted - this.delay) * (wanted > this.delay ? 0.5 : 0.02);
  }

  private advance(now: number): void {
    const target = now - this.delay;
    const passed = now - this.asked;
    this.asked = now;
    if (!(Math.abs(target - (this.head + passed)) < JUMP)) {
      this.head = target;
      return;
    }
    const error = target - (this.head + passed);
    const most = HURRY * Math.max(0, passed);
    this.head += passed + Math.min(most, Math.max(-most, error));
  }
}

function emptyPose(numbers: number): Pose {
  return { root: new Float32Array(3), rotations: new Float32Array(numbers), contacts: 0, seq: 0, obeys: 0 };
}

function isTeleport(a: Frame, b: Frame): boolean {
  return Math.hypot(b.root[0]! - a.root[0]!, b.root[1]! - a.root[1]!, b.root[2]! - a.root[2]!) > TELEPORT;
}

function copy(frame: Frame, out: Pose): void {
  out.root.set(frame.root);
  out.rotations.set(frame.rotations);
}

function blend(a: Frame, b: Frame, share: number, out: Pose): void {
  for (let i = 0; i < 3; i++) out.root[i] = a.root[i]! + share * (b.root[i]! - a.root[i]!);
  for (let i = 0; i < out.rotations.length; i += 4) nlerp(a.rotations, b.rotations, i, share, out.rotations);
}

/** Normalised linear interpolation: joints turn by less than a radian a frame, where it is slerp to 1 %. */
function nlerp(a: Float32Array, b: Float32Array, at: number, share: number, out: Float32Array): void {
  let dot = 0;
  for (let i = at; i < at + 4; i++) dot += a[i]! * b[i]!;
  const other = dot < 0 ? -share : share;
  let length = 0;
  for (let i = at; i < at + 4; i++) {
    out[i] = (1 - share) * a[i]! + other * b[i]!;
    length += out[i]! * out[i]!;
  }
  const scale = length > 0 ? 1 / Math.sqrt(length) : 0;
  for (let i = at; i < at + 4; i++) out[i]! *= scale;
}
