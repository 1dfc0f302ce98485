/** Streams the microphone's audio to a dancing character. */

import { type RemoteCharacter, toS16 } from "../client/client.js";
import recorder from "./recorder.ts?worker&url";

/** An open microphone; it is recorded until `stop`. */
export class MicrophoneSource {
  private sent = 0;
  private disconnect = () => {};

  private constructor(
    private readonly context: AudioContext,
    private readonly stream: MediaStream,
    private readonly character: RemoteCharacter,
    /** Number of the verb `music`; frames that dance to this audio carry it as `obeys`. */
    readonly number: number,
  ) {}

  /** Open the microphone and let a character dance to it; rejects with an Error whose message is for the user. */
  static async open(character: RemoteCharacter): Promise<MicrophoneSource> {
    const stream = await openStream();
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(recorder);
      const { number } = await character.music(true);
      const source = new MicrophoneSource(context, stream, character, number);
      source.connect();
      return source;
    } catch (error) {
      release(context, stream);
      throw error;
    }
  }

  /** Close the microphone and stop the dance. */
  async stop(): Promise<void> {
    this.disconnect();
    release(this.context, this.stream);
    await this.character.endMusic(true).catch(() => {});
  }

  private connect(): void {
    const node = new AudioWorkletNode(this.context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }) => this.send(toS16(data as Float32Array));
    this.context.createMediaStreamSource(this.stream).connect(node);
    this.disconnect = () => (node.port.onmessage = null);
  }

  private send(samples: Int16Array): void {
    if (this.character.sendAudio(samples, this.context.sampleRate, this.sent)) this.sent += samples.length;
  }
}

async function openStream(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new Error("microphone: expected a page of this machine or of https; browsers give no microphone to others");
  try {
    // Processing that makes speech clearer removes the beat of music.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const isRefused = (error as Error).name === "NotAllowedError";
    throw new Error(isRefused ? "microphone: the browser does not allow it; allow it for this page" : "microphone: none was found");
  }
}

function release(context: AudioContext, stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
  void context.close();
}
