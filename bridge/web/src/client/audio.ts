/** Encodes and decodes audio messages, the only binary message that clients send (bridge/PROTOCOL.md). */

import { WireError } from "./wire.js";

/** A part of a piece of music for one character: mono, 16 bits. */
export interface Audio {
  /** Number of the character on this connection. */
  character: number;
  /** Samples a second. */
  rate: number;
  /** Number of the first sample in the piece. */
  first: number;
  samples: Int16Array;
}

const KIND_AUDIO = 2;
const S16 = 1;
/** Bytes before the samples. */
export const AUDIO_HEADER = 16;

/** Return an audio message as bytes. */
export function encodeAudio({ character, rate, first, samples }: Audio): ArrayBuffer {
  const data = new ArrayBuffer(AUDIO_HEADER + 2 * samples.length);
  const view = new DataView(data);
  view.setUint8(0, KIND_AUDIO);
  view.setUint8(1, S16);
  view.setUint16(2, character, true);
  view.setUint32(4, rate, true);
  view.setUint32(8, first % 2 ** 32, true);
  view.setUint32(12, Math.floor(first / 2 ** 32), true);
  samples.forEach((value, i) => view.setInt16(AUDIO_HEADER + 2 * i, value, true));
  return data;
}

/** Return the audio in a binary message; throws a WireError where the bytes are no audio message. */
export function decodeAudio(data: ArrayBufferLike): Audio {
  const size = data.byteLength;
  if (size < AUDIO_HEADER + 2 || size % 2) throw new WireError(`audio: expected ${AUDIO_HEADER} bytes and two a sample, got ${size}`);
  const view = new DataView(data);
  const [kind, format] = [view.getUint8(0), view.getUint8(1)];
  if (kind !== KIND_AUDIO || format !== S16) throw new WireError(`audio: expected kind 2 and format 1, got ${kind} and ${format}`);
  const first = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
  if (!Number.isSafeInteger(first)) throw new WireError("audio: expected a first sample 0..2**53 - 1");
  const samples = new Int16Array((size - AUDIO_HEADER) / 2);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(AUDIO_HEADER + 2 * i, true);
  return { character: view.getUint16(2, true), rate: view.getUint32(4, true), first, samples };
}

/** Return samples of -1..1 as 16-bit integers; louder samples are clipped. */
export function toS16(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (value) => Math.round(32767 * Math.min(1, Math.max(-1, value))));
}
