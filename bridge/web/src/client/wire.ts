/** Messages of bridge/PROTOCOL.md, version 1, as types; encodes and decodes frames. */

/** The websocket subprotocol. */
export const SUBPROTOCOL = "motiongen.v1";

/** Format of frames on the wire: 32-bit floats, 16-bit integers (half the bytes), or JSON. */
export type Format = "f32" | "i16" | "json";

/** Joints in a tree, a parent before its children; offsets in metres. */
export interface Skeleton {
  names: string[];
  parents: number[];
  offsets: [number, number, number][];
  root: string;
}

/** A character of the server's own that frames are put on, as the answers to `open` and `watch` tell it. */
export interface Avatar {
  name: string;
  /** Path of its figure on the server, a .glb or .vrm; null where it is a skeleton alone. */
  file: string | null;
  /** Joints of its frames, with local rotations xyzw of the rest pose. */
  skeleton: Skeleton & { rest: [number, number, number, number][] };
  /** Joint of `Hello.skeleton` -> joint that plays its part. */
  parts: Record<string, string>;
}

/** The first message of a server. */
export interface Hello {
  type: "hello";
  version: number;
  server: string;
  /** Token that a later connection resumes with. */
  session: string;
  /** Frames a second. */
  fps: number;
  /** The server's clock, microseconds. */
  time: number;
  skeleton: Skeleton;
  /** Names of the joints of the contact bits, bit 0 first. */
  contacts: string[];
  units: Record<string, string>;
  verbs: string[];
  formats: Format[];
  limits: Record<string, number>;
  resume_seconds: number;
  weights: { name: string; licence: string };
  /** The model: "mogo" follows text prompts, "badm" dances to music. */
  head?: string;
  /** Avatars that frames may be put on, where the server has some. */
  avatars?: { name: string; file: string | null }[];
  /** Dance styles, where characters dance. */
  styles?: string[];
  /** Audio that characters dance to: range of sample rates, latency of live audio, and how much may be sent ahead. */
  audio?: { formats: string[]; rates: [number, number]; delay_seconds: number; ahead_seconds: number };
}

/** An event message: "obeys", "ended", "arrived", "dances" or "closed". */
export interface StreamEvent {
  type: "event";
  character: number;
  event: string;
  seq?: number;
  number?: number;
  text?: string;
  /** Of "dances": number of the music's sample that frame `seq` shows. */
  sample?: number;
  count?: number;
}

/** One frame of a character: Y up, right-handed, metres; rotations are local to the parent, xyzw. */
export interface Frame {
  /** Number of the character on this connection. */
  character: number;
  /** 0, 1, 2 …; wraps at 2^32 on the wire. */
  seq: number;
  /** Number of the verb that the frame obeys, 0 before any. */
  obeys: number;
  /** Time at which it is to be shown: the server's clock, microseconds. */
  time: number;
  /** Bit n: whether joint `Hello.contacts[n]` touches the floor. */
  contacts: number;
  /** Whether the server left out frames before this one. */
  gap: boolean;
  /** Position of the pelvis, or of an avatar's first joint, 3 numbers. */
  root: Float32Array;
  /** 4 numbers a joint. */
  rotations: Float32Array;
}

/** The error of bytes or text that are no message of version 1. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const KIND_FRAME = 1;
const F32 = 1;
const I16 = 2;
const HEADER = 24;
const GAP = 1;
const INT16 = 32767;

/** Return the frame in a binary message; throws a WireError where the bytes are no frame. */
export function decodeFrame(data: ArrayBufferLike): Frame {
  const view = new DataView(data);
  if (data.byteLength < HEADER) throw new WireError(`frame: expected ${HEADER} bytes or more, got ${data.byteLength}`);
  const kind = view.getUint8(0);
  const format = view.getUint8(1);
  if (kind !== KIND_FRAME) throw new WireError(`frame: expected kind ${KIND_FRAME}, got ${kind}`);
  if (format !== F32 && format !== I16) throw new WireError(`frame: expected format 1 or 2, got ${format}`);
  const joints = view.getUint16(6, true);
  const size = HEADER + 12 + joints * (format === F32 ? 16 : 8);
  if (data.byteLength !== size) throw new WireError(`frame: expected ${size} bytes, got ${data.byteLength}`);
  const root = new Float32Array(3);
  for (let i = 0; i < 3; i++) root[i] = view.getFloat32(HEADER + 4 * i, true);
  return {
    character: view.getUint16(4, true),
    seq: view.getUint32(8, true),
    obeys: view.getUint32(12, true),
    // Two halves: a double holds every microsecond of the next 280 years, and a BigInt would be slower.
    time: view.getUint32(16, true) + view.getUint32(20, true) * 2 ** 32,
    contacts: view.getUint8(3),
    gap: (view.getUint8(2) & GAP) !== 0,
    root,
    rotations: format === F32 ? readFloats(view, joints) : readIntegers(view, joints),
  };
}

function readFloats(view: DataView, joints: number): Float32Array {
  const rotations = new Float32Array(4 * joints);
  for (let i = 0; i < rotations.length; i++) rotations[i] = view.getFloat32(HEADER + 12 + 4 * i, true);
  return rotations;
}

function readIntegers(view: DataView, joints: number): Float32Array {
  const rotations = new Float32Array(4 * joints);
  for (let i = 0; i < rotations.length; i++) rotations[i] = view.getInt16(HEADER + 12 + 2 * i, true) / INT16;
  return rotations;
}

/** Return the frame in a parsed JSON message of type "frame". */
export function frameFromJson(message: Record<string, unknown>): Frame {
  const { character, seq, obeys, time, contacts, gap, root, rotations } = message;
  if (!Array.isArray(root) || !Array.isArray(rotations) || !Array.isArray(contacts)) {
    throw new WireError("frame: expected root, rotations and contacts; see PROTOCOL.md");
  }
  return {
    character: character as number,
    seq: seq as number,
    obeys: obeys as number,
    time: time as number,
    contacts: contacts.reduce<number>((bits, touches, bit) => bits | (touches ? 1 << bit : 0), 0),
    gap: gap === true,
    root: Float32Array.from(root as number[]),
    rotations: Float32Array.from(rotations.flat() as number[]),
  };
}

/** Return a frame as the bytes that a server sends. */
export function encodeFrame(frame: Frame, format: "f32" | "i16" = "f32"): ArrayBuffer {
  const joints = frame.rotations.length / 4;
  const data = new ArrayBuffer(HEADER + 12 + joints * (format === "f32" ? 16 : 8));
  const view = new DataView(data);
  view.setUint8(0, KIND_FRAME);
  view.setUint8(1, format === "f32" ? F32 : I16);
  view.setUint8(2, frame.gap ? GAP : 0);
  view.setUint8(3, frame.contacts);
  view.setUint16(4, frame.character, true);
  view.setUint16(6, joints, true);
  view.setUint32(8, frame.seq, true);
  view.setUint32(12, frame.obeys, true);
  view.setUint32(16, frame.time % 2 ** 32, true);
  view.setUint32(20, Math.floor(frame.time / 2 ** 32), true);
  frame.root.forEach((value, i) => view.setFloat32(HEADER + 4 * i, value, true));
  frame.rotations.forEach((value, i) => {
    if (format === "f32") view.setFloat32(HEADER + 12 + 4 * i, value, true);
    else view.setInt16(HEADER + 12 + 2 * i, Math.round(value * INT16), true);
  });
  return data;
}
