/** A jitter buffer: stores frames that arrive unevenly and interpolates the pose at any time. */

import type { Frame } from "./wire.js";

/** Most frames that are stored, ten seconds: a page in the background draws none. */
const CAPACITY = 300;
/** Arrivals that the delay is computed from: three seconds. */
const ARRIVALS = 90;
/** Share of frames that are to arrive before they are shown. */
const QUANTILE = 0.97;
/** Greatest delay, milliseconds. */
const LONGEST_DELAY = 500;
/** How much faster or slower than real time playback may run to correct an error. */
const RATE_CHANGE = 0.1;
/** A larger error is corrected at once, milliseconds. */
const JUMP = 300;
/** A root that moves further than this between two frames is not interpolated, metres. */
const TELEPORT = 0.6;

/** A character's pose at one time: the root's position in metres, and local rotations xyzw. */
export interface Pose {
  root: Float32Array;
  rotations: Float32Array;
  /** Contacts, seq and obeys are those of the nearer frame. */
  contacts: number;
  seq: number;
  obeys: number;
}

/** The frames of one character and the playback position. All times are milliseconds of the server's clock. */
export class Playback {
  /** How far playback is to be behind the server's clock. */
  delay: number;
  private frames: Frame[] = [];
  private lateness: number[] = [];
  private head = NaN;
  private sampledAt = NaN;
  private out: Pose | null = null;

  /** @param fps frames a second of the character. */
  constructor(private readonly fps: number) {
    this.delay = 1.5 * this.interval;
  }

  private get interval(): number {
    return 1000 / this.fps;
  }

  /** Time of the last sampled pose; NaN before any. */
  get at(): number {
    return this.head;
  }

  /** How much is stored beyond the playback position, milliseconds. */
  get buffered(): number {
    const last = this.frames.at(-1);
    return last && !Number.isNaN(this.head) ? Math.max(0, last.time / 1000 - this.head) : 0;
  }

  /** Discard all frames: those that follow have another clock. */
  clear(): void {
    this.frames = [];
    this.lateness = [];
    this.head = NaN;
  }

  /** Store a frame that arrived when the server's clock showed `arrival`. */
  push(frame: Frame, arrival: number): void {
    const last = this.frames.at(-1);
    if (last && frame.time <= last.time) return;
    this.frames.push(frame);
    if (this.frames.length > CAPACITY) this.frames.shift();
    this.lateness.push(arrival - frame.time / 1000);
    if (this.lateness.length > ARRIVALS) this.lateness.shift();
    this.updateDelay();
  }

  /** Return the pose at a time, or null before the first frame. The same object is returned every time. */
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

  /** Move the delay towards the lateness of most frames, and one interval more: interpolation needs the next frame. */
  private updateDelay(): void {
    const sorted = [...this.lateness].sort((a, b) => a - b);
    const late = sorted[Math.min(sorted.length - 1, Math.floor(QUANTILE * sorted.length))]!;
    const wanted = Math.min(LONGEST_DELAY, Math.max(0, late) + 1.2 * this.interval);
    // It grows fast and shrinks slowly: late frames come in bursts.
    this.delay += (wanted - this.delay) * (wanted > this.delay ? 0.5 : 0.02);
  }

  private advance(now: number): void {
    const target = now - this.delay;
    const passed = now - this.sampledAt;
    this.sampledAt = now;
    if (!(Math.abs(target - (this.head + passed)) < JUMP)) {
      this.head = target;
      return;
    }
    const error = target - (this.head + passed);
    const most = RATE_CHANGE * Math.max(0, passed);
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
