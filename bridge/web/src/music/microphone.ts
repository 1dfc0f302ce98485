/** A microphone as a source of music: what it hears goes to a dancer as it comes. */

import { type RemoteCharacter, toS16 } from "../client/client.js";
import recorder from "./recorder.ts?worker&url";

/** Ears that are open until `stop`. */
export class Microphone {
  private sent = 0;
  private readonly ends: (() => void)[] = [];

  private constructor(
    private readonly context: AudioContext,
    private readonly stream: MediaStream,
    private readonly character: RemoteCharacter,
    /** Number of the verb; frames that dance to it obey it. */
    readonly number: number,
  ) {}

  /** Listen, and let a character dance to it; raises an Error in words where there is nothing to listen with. */
  static async listen(character: RemoteCharacter): Promise<Microphone> {
    const stream = await open();
    const context = new AudioContext();
    try {
      await context.audioWorklet.addModule(recorder);
      const { number } = await character.music(true);
      const microphone = new Microphone(context, stream, character, number);
      microphone.connect();
      return microphone;
    } catch (error) {
      release(context, stream);
      throw error;
    }
  }

  /** Close the ears, and let the character rest. */
  async stop(): Promise<void> {
    for (const end of this.ends) end();
    release(this.context, this.stream);
    await this.character.endMusic(true).catch(() => {});
  }

  private connect(): void {
    const node = new AudioWorkletNode(this.context, "recorder", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }) => this.send(toS16(data as Float32Array));
    this.context.createMediaStreamSource(this.stream).connect(node);
    this.ends.push(() => (node.port.onmessage = null));
  }

  private send(samples: Int16Array): void {
    if (this.character.hear(samples, this.context.sampleRate, this.sent)) this.sent += samples.length;
  }
}

async function open(): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new Error("microphone: a browser lends it to pages of this machine and https only");
  try {
    // Music is to be heard as it is: what makes speech clearer takes the beat away.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const isRefused = (error as Error).name === "NotAllowedError";
    throw new Error(isRefused ? "microphone: the browser was told not to lend it" : "microphone: none was found");
  }
}

function release(context: AudioContext, stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
  void context.close();
}
