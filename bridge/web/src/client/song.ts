/** Music on its way to a dancer: sent a little ahead of what is shown, and where in it the character is. */

import type { RemoteCharacter } from "./character.js";
import { AUDIO_HEADER, toS16 } from "./audio.js";
import type { Hello } from "./wire.js";

/** One message of sound goes out every so many frames: half of what a server's limits allow. */
const EVERY = 2;
const AHEAD = 1;

/** A whole piece. It sends itself while the frames come; `position` says what is to be heard. */
export class Song {
  /** Whether everything was sent, or it was stopped. */
  isOver = false;
  private sent = 0;
  private frames = 0;
  /** From frame `seq` on, the piece is heard from `sample` on. */
  private marks: { seq: number; sample: number }[] = [];
  private readonly ends: (() => void)[];

  private constructor(
    private readonly character: RemoteCharacter,
    private readonly hello: Hello,
    /** Number of the verb; frames that dance to it obey it. */
    readonly number: number,
    private readonly samples: Int16Array,
    private readonly rate: number,
  ) {
    this.ends = [
      character.on("event", ({ event, number, seq, sample }) => {
        if (number === this.number && event === "dances") this.marks.push({ seq: seq!, sample: sample! });
      }),
      character.on("frame", () => this.frames++ % EVERY || this.pump()),
      character.on("interrupted", () => this.quit()),
    ];
  }

  /** Let a character dance to mono samples of -1..1. Raises a MotionGenError when it cannot. */
  static async begin(character: RemoteCharacter, hello: Hello, samples: Float32Array, rate: number): Promise<Song> {
    const { number } = await character.music();
    return new Song(character, hello, number, toS16(samples), rate);
  }

  /** Return the second of the piece that is on the screen; negative before its beginning, null where it is not known. */
  position(): number | null {
    const { latest, playback } = this.character;
    if (!latest || !this.marks.length || Number.isNaN(playback.at)) return null;
    const seq = latest.seq - ((latest.time / 1000 - playback.at) * this.hello.fps) / 1000;
    const mark = this.marks.filter((one) => one.seq <= seq).at(-1) ?? this.marks[0]!;
    return mark.sample / this.rate + (seq - mark.seq) / this.hello.fps;
  }

  /** Stop now. */
  async stop(): Promise<void> {
    const wasSent = this.isOver;
    this.quit();
    this.ends[0]!();
    if (!wasSent) await this.character.endMusic(true).catch(() => {}); // it is gone, or there is no connection
  }

  private pump(): void {
    const ahead = this.hello.audio?.ahead_seconds ?? AHEAD;
    const size = Math.floor((this.hello.limits["message_bytes"]! - AUDIO_HEADER) / 2);
    const part = this.samples.subarray(this.sent, this.sent + size);
    if (this.sent + part.length > (Math.max(0, this.position() ?? 0) + ahead) * this.rate) return;
    if (!this.character.hear(part, this.rate, this.sent)) return;
    this.sent += part.length;
    if (this.sent < this.samples.length) return;
    this.quit();
    void this.character.endMusic(false).catch(() => {});
  }

  private quit(): void {
    this.isOver = true;
    for (const end of this.ends.slice(1)) end(); // where it is danced is still to be known
  }
}
