/** What is heard: a piece of music, kept in step with the frames that are on the screen. */

/** Sound that is further from the picture than this is put right, seconds: twice what an eye notices. */
const SLIP = 0.08;
/** Samples a second that a dancer is sent: what its features are made of. */
const SENT_RATE = 22050;

/** Sound as it is heard, and as it is sent. */
export interface Decoded {
  heard: AudioBuffer;
  /** Mono. */
  sent: Float32Array;
  rate: number;
}

/** Plays one piece at a time. */
export class Player {
  private context: AudioContext | null = null;
  private source: AudioBufferSourceNode | null = null;
  /** Context's time at which the piece's first sample would have been heard. */
  private zero = 0;

  /** Return the sound of a file; raises an Error in words where it has none. */
  async decode(file: File): Promise<Decoded> {
    this.context ??= new AudioContext();
    void this.context.resume(); // a click has led here
    let heard: AudioBuffer;
    try {
      heard = await this.context.decodeAudioData(await file.arrayBuffer());
    } catch {
      throw new Error(`${file.name}: expected music, got what this browser cannot decode; try .mp3, .wav, .ogg or .flac`);
    }
    const mixing = new OfflineAudioContext(1, Math.ceil(heard.duration * SENT_RATE), SENT_RATE);
    const source = new AudioBufferSourceNode(mixing, { buffer: heard });
    source.connect(mixing.destination);
    source.start();
    return { heard, sent: (await mixing.startRendering()).getChannelData(0), rate: SENT_RATE };
  }

  /** Let that second of a piece be heard now, or nothing; call it for every picture. */
  follow(piece: AudioBuffer, position: number | null): void {
    if (!this.context || position === null || position < 0 || position >= piece.duration) return this.stop();
    const now = this.context.currentTime;
    const wanted = position + (this.context.outputLatency || 0);
    if (this.source?.buffer === piece && Math.abs(now - this.zero - wanted) < SLIP) return;
    this.stop();
    if (wanted >= piece.duration) return;
    this.source = new AudioBufferSourceNode(this.context, { buffer: piece });
    this.source.connect(this.context.destination);
    this.source.start(0, wanted);
    this.zero = now - wanted;
  }

  /** Be silent. */
  stop(): void {
    this.source?.stop();
    this.source?.disconnect();
    this.source = null;
  }
}
