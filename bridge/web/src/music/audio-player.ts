/** Decodes sound files and plays them in step with the shown frames. */

/** Greatest offset between sound and picture, seconds: about twice what is noticed. */
const TOLERANCE = 0.08;
/** Samples a second of the audio that is sent: the rate of the server's music features. */
const STREAM_RATE = 22050;

/** A decoded sound file. */
export interface DecodedFile {
  /** To play. */
  buffer: AudioBuffer;
  /** To send: mono, -1..1. */
  samples: Float32Array;
  /** Samples a second of `samples`. */
  rate: number;
}

/** Plays one sound file at a time. */
export class AudioPlayer {
  private context: AudioContext | null = null;
  private source: AudioBufferSourceNode | null = null;
  /** Time of the audio context at which the file's first sample was played, or would have been. */
  private startTime = 0;

  /** Return the sound of a file; rejects with an Error whose message is for the user. */
  async decode(file: File): Promise<DecodedFile> {
    this.context ??= new AudioContext();
    void this.context.resume(); // the page may play sound: this follows a click
    let buffer: AudioBuffer;
    try {
      buffer = await this.context.decodeAudioData(await file.arrayBuffer());
    } catch {
      throw new Error(`${file.name}: expected music, got what this browser cannot decode; try .mp3, .wav, .ogg or .flac`);
    }
    const mixing = new OfflineAudioContext(1, Math.ceil(buffer.duration * STREAM_RATE), STREAM_RATE);
    const source = new AudioBufferSourceNode(mixing, { buffer });
    source.connect(mixing.destination);
    source.start();
    return { buffer, samples: (await mixing.startRendering()).getChannelData(0), rate: STREAM_RATE };
  }

  /** Play this second of a file now, or nothing where it is null or outside; called once a drawn frame. */
  follow(buffer: AudioBuffer, position: number | null): void {
    if (!this.context || position === null || position < 0 || position >= buffer.duration) return this.stop();
    const now = this.context.currentTime;
    const wanted = position + (this.context.outputLatency || 0);
    if (this.source?.buffer === buffer && Math.abs(now - this.startTime - wanted) < TOLERANCE) return;
    this.stop();
    if (wanted >= buffer.duration) return;
    this.source = new AudioBufferSourceNode(this.context, { buffer });
    this.source.connect(this.context.destination);
    this.source.start(0, wanted);
    this.startTime = now - wanted;
  }

  /** Stop playing. */
  stop(): void {
    this.source?.stop();
    this.source?.disconnect();
    this.source = null;
  }
}
