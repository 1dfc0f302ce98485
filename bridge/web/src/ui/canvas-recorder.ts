/** Records a canvas as a video file, by the browser's own encoder. */

import { make } from "./dom.js";

/** Video formats, the most widely read first; the browser knows at least one. */
const TYPES = ["video/mp4;codecs=avc1.42E01F", "video/mp4", "video/webm;codecs=vp9", "video/webm"];
const FPS = 30;
const BITS_PER_SECOND = 8_000_000;
/** Longest recording, milliseconds: it is kept in memory. */
const LONGEST = 300_000;

/** Records a canvas between two calls of `toggle`, and downloads the video. */
export class CanvasRecorder {
  private recorder: MediaRecorder | null = null;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** Whether the browser can record. */
  get isSupported(): boolean {
    return typeof MediaRecorder !== "undefined" && this.type !== undefined;
  }

  /** Whether a recording is under way. */
  get isRecording(): boolean {
    return this.recorder?.state === "recording";
  }

  /** Start a recording, or end it and download its file. */
  toggle(): void {
    if (this.isRecording) return this.recorder!.stop();
    const parts: Blob[] = [];
    const type = this.type!;
    const recorder = new MediaRecorder(this.canvas.captureStream(FPS), { mimeType: type, videoBitsPerSecond: BITS_PER_SECOND });
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => download(new Blob(parts, { type }), type.startsWith("video/mp4") ? "mp4" : "webm");
    recorder.start();
    setTimeout(() => recorder.state === "recording" && recorder.stop(), LONGEST);
    this.recorder = recorder;
  }

  private get type(): string | undefined {
    return TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  }
}

function download(video: Blob, extension: string): void {
  const href = URL.createObjectURL(video);
  make("a", { href, download: `motiongen.${extension}` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
