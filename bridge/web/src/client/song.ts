/** Streams a piece of music to a dancing character and tracks the playback position that matches its frames. */

import type { RemoteCharacter } from "./character.js";
import { AUDIO_HEADER, toS16 } from "./audio.js";
import type { Hello } from "./wire.js";

/** One audio message is sent every so many frames: half of the rate that a server's limits allow. */
const FRAMES_PER_MESSAGE = 2;
/** Seconds of audio that are sent ahead where the server names no limit. */
const DEFAULT_AHEAD = 1;

/** A piece of music that a character dances to. It sends itself as frames are received; `position` says what to play. */
export class Song {
  /** Whether everything was sent, or sending was stopped. */
  isOver = false;
  private sent = 0;
  private frames = 0;
  /** From frame `seq` on, the character dances from `sample` on. */
  private alignments: { seq: number; sample: number }[] = [];
  private readonly stopAligning: () => void;
  private readonly stopSending: (() => void)[];

  private constructor(
    private readonly character: RemoteCharacter,
    private readonly hello: Hello,
    /** Number of the verb `music`; frames that dance to this piece carry it as `obeys`. */
    readonly number: number,
    private readonly samples: Int16Array,
    private readonly rate: number,
  ) {
    this.stopAligning = character.on("event", ({ event, number, seq, sample }) => {
      if (number === this.number && event === "dances") this.alignments.push({ seq: seq!, sample: sample! });
    });
    this.stopSending = [
      character.on("frame", () => this.frames++ % FRAMES_PER_MESSAGE || this.sendNext()),
      character.on("interrupted", () => this.endSending()),
    ];
  }

  /** Let a character dance to mono samples of -1..1. Rejects with a MotionGenError where the server refuses. */
  static async begin(character: RemoteCharacter, hello: Hello, samples: Float32Array, rate: number): Promise<Song> {
    const { number } = await character.music();
    return new Song(character, hello, number, toS16(samples), rate);
  }

  /** Return the second of the piece that fits the pose on the screen: negative before it begins, null while unknown. */
  position(): number | null {
    const { latest, playback } = this.character;
    if (!latest || !this.alignments.length || Number.isNaN(playback.at)) return null;
    const seq = latest.seq - ((latest.time / 1000 - playback.at) * this.hello.fps) / 1000;
    const alignment = this.alignments.filter((one) => one.seq <= seq).at(-1) ?? this.alignments[0]!;
    return alignment.sample / this.rate + (seq - alignment.seq) / this.hello.fps;
  }

  /** Stop now. */
  async stop(): Promise<void> {
    const wasSent = this.isOver;
    this.endSending();
    this.stopAligning();
    if (!wasSent) await this.character.endMusic(true).catch(() => {}); // the character, or the connection, is gone
  }

  private sendNext(): void {
    const ahead = this.hello.audio?.ahead_seconds ?? DEFAULT_AHEAD;
    const size = Math.floor((this.hello.limits["message_bytes"]! - AUDIO_HEADER) / 2);
    const part = this.samples.subarray(this.sent, this.sent + size);
    if (this.sent + part.length > (Math.max(0, this.position() ?? 0) + ahead) * this.rate) return;
    if (!this.character.sendAudio(part, this.rate, this.sent)) return;
    this.sent += part.length;
    if (this.sent < this.samples.length) return;
    this.endSending();
    void this.character.endMusic(false).catch(() => {});
  }

  /** Send no more. The alignments go on coming: the rest of the piece is still to be danced. */
  private endSending(): void {
    this.isOver = true;
    for (const unsubscribe of this.stopSending) unsubscribe();
  }
}
