/** Poses that a character is to come to at times ahead: each waits here until its time is near, then the server has it. */

import type { Answer, RemoteCharacter } from "./client/client.js";

/** Seconds ahead that a pose can be put, at most. */
export const LONGEST = 10;
/** Seconds before its time at which a pose is sent: a character takes 0.9 s to come to one. */
const SENT_BEFORE = 1.5;
/** Seconds after its time for which the server still has a pose: it knows one at a time. */
const LEAVES = 0.8;
/** Least seconds ahead, and from one pose to another. */
const [SOONEST, APART] = [SENT_BEFORE + 0.25, 1.8];
/** Seconds ahead of a new pose, if that is free. */
const USUAL = 3;

/** A pose at a time. */
export interface Keyframe {
  /** Local rotations xyzw of the skeleton's joints. */
  readonly rotations: number[][];
  /** Number of its frame. */
  seq: number;
  /** Whether the server has it already: then it can be neither moved nor dropped any more. */
  isSent: boolean;
}

/** What keyframes tell their character. */
export interface KeyframeHandlers {
  /** Poses were added, moved, dropped, sent or met. */
  onChange: () => void;
  /** The server has taken one. */
  onAnswer: (answer: Answer) => void;
  /** The server has refused one, which is dropped. */
  onError: (error: unknown) => void;
}

/** The poses ahead of one character. */
export class Keyframes {
  keys: Keyframe[] = [];
  private now = 0;
  /** Frame from which on the server has room for the next pose. */
  private freeAt = 0;

  /** @param fps frames a second of the character. */
  constructor(
    private readonly remote: RemoteCharacter,
    private readonly fps: number,
    private readonly handlers: KeyframeHandlers,
  ) {
    remote.on("frame", ({ seq }) => this.advance(seq));
  }

  /** Seconds until a pose. */
  secondsTo(key: Keyframe): number {
    return Math.max(0, (key.seq - this.now) / this.fps);
  }

  /** Put a pose where there is room for it, in about three seconds; return whether there is. */
  add(rotations: number[][]): boolean {
    const seq = this.place(this.now + USUAL * this.fps);
    if (seq !== null) this.replace([...this.keys, { rotations, seq, isSent: false }]);
    return seq !== null;
  }

  /** Put a pose that was not sent yet at so many seconds from now, or as near to that as there is room. */
  move(key: Keyframe, seconds: number): void {
    if (key.isSent || !this.keys.includes(key)) return;
    const seq = this.place(this.now + seconds * this.fps, key);
    if (seq === null || seq === key.seq) return;
    key.seq = seq;
    this.replace([...this.keys]);
  }

  /** Drop a pose that was not sent yet. */
  drop(key: Keyframe): void {
    if (!key.isSent) this.replace(this.keys.filter((other) => other !== key));
  }

  /** Forget all: the server has lost the character. */
  clear(): void {
    this.now = this.freeAt = 0;
    this.replace([]);
  }

  /** Return the frame nearest to one that is asked for that has room for a pose; null where there is none. */
  private place(asked: number, moved?: Keyframe): number | null {
    const [least, most, apart] = [SOONEST, LONGEST, APART].map((seconds) => Math.ceil(seconds * this.fps)) as [number, number, number];
    const others = this.keys.filter((key) => key !== moved).map(({ seq }) => seq);
    const [first, last] = [this.now + least, this.now + most];
    const free = [Math.round(asked), first, last, ...others.flatMap((seq) => [seq - apart, seq + apart])].filter(
      (seq) => seq >= first && seq <= last && others.every((other) => Math.abs(seq - other) >= apart),
    );
    if (!free.length) return null;
    return free.reduce((best, seq) => (Math.abs(seq - asked) < Math.abs(best - asked) ? seq : best));
  }

  private advance(seq: number): void {
    this.now = seq;
    if (this.keys.some((key) => key.isSent && key.seq <= seq)) this.replace(this.keys.filter((key) => !key.isSent || key.seq > seq));
    const next = this.keys.find(({ isSent }) => !isSent);
    if (next && seq >= this.freeAt && next.seq - seq <= SENT_BEFORE * this.fps) void this.send(next);
  }

  private async send(key: Keyframe): Promise<void> {
    key.isSent = true;
    this.freeAt = key.seq + LEAVES * this.fps;
    this.handlers.onChange();
    try {
      const answer = await this.remote.pose({ rotations: key.rotations, at: this.secondsTo(key) });
      key.seq = answer.seq;
      this.freeAt = answer.seq + LEAVES * this.fps;
      this.handlers.onAnswer(answer);
    } catch (error) {
      this.freeAt = 0;
      this.replace(this.keys.filter((other) => other !== key));
      this.handlers.onError(error);
    }
  }

  private replace(keys: Keyframe[]): void {
    this.keys = keys.sort((a, b) => a.seq - b.seq);
    this.handlers.onChange();
  }
}
