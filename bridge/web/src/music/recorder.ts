/** Audio worklet: collects the microphone's samples into parts of a tenth of a second. Runs in the audio thread. */

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Posts each full part to the page. */
class Recorder extends AudioWorkletProcessor {
  private part = new Float32Array(Math.round(sampleRate / 10));
  private filled = 0;

  process(inputs: Float32Array[][]): boolean {
    for (const value of inputs[0]?.[0] ?? []) {
      this.part[this.filled++] = value;
      if (this.filled < this.part.length) continue;
      this.port.postMessage(this.part);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
