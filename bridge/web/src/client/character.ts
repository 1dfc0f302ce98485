/** The client's side of one character on a server: sends verbs, receives frames and events. */

import { encodeAudio } from "./audio.js";
import { Emitter } from "./emitter.js";
import { Playback, type Pose } from "./playback.js";
import type { Message, RequestOptions } from "./requests.js";
import type { Avatar, Frame, StreamEvent } from "./wire.js";

/** The server's answer to a verb. */
export interface Answer {
  /** Number of the first frame that obeys. */
  seq: number;
  /** Number of the verb; frames that obey it carry it as `obeys`. */
  number: number;
  /** A sentence for people, where the server sends one. */
  note?: string;
}

/** A point, or a place of a joint: x, y and z, metres. */
export type Point = [number, number, number];
/** The axes of numbers: the world's, or those of the character. */
export type Reference = "world" | "character";

/** How a way over the floor ends. */
export interface Arrival {
  /** Where to look there, radians from +Z to +X. */
  heading?: number;
  /** Seconds until it is there. */
  seconds?: number;
}

/** A circle, or a box that is turned about +Y by radians, on the floor. */
export type Obstacle =
  | { center: [number, number]; radius: number }
  | { center: [number, number]; size: [number, number]; turn?: number };

/** Options of a new character. */
export interface Beginning {
  prompt?: string;
  /** The same seed and the same verbs at the same frames give the same motion. */
  seed?: number;
  /** Guidance strength, 1 to 10: how strictly the motion follows the prompt, or the music. */
  strength?: number;
  /** Dance style, one of `Hello.styles`; only on a server whose characters dance. */
  style?: string;
  /** Avatar that the frames are put on, one of `Hello.avatars`; without one they are of `Hello.skeleton`. */
  avatar?: string;
}

/** Events of a character. */
export interface CharacterEvents {
  /** A frame was received. To draw, use `sample`, which interpolates. */
  frame: Frame;
  /** An event of PROTOCOL.md was received. */
  event: StreamEvent;
  /** The first frame that obeys a verb was received, this many milliseconds after the verb was sent. */
  obeyed: { verb: string; number: number; milliseconds: number };
  /** The server had lost the character, and the client opened it again: numbers of frames and verbs restart. */
  reborn: number;
  /** The connection dropped: audio that was on its way is lost. */
  interrupted: string;
  /** The character is gone; the text is the reason. */
  closed: string;
}

/** What a character needs of the client that it belongs to. */
export interface Transport {
  /** Send a message and return its answer. */
  request(message: Message, options?: RequestOptions): Promise<Message>;
  /** Send a binary message; return whether there is a connection. */
  send(data: ArrayBuffer): boolean;
  /** Return the server's time at a local time, milliseconds. */
  serverTime(now: number): number;
}

/**
 * A character on a server, made by `MotionGenClient.open` or `watch`.
 *
 * The promise of a verb rejects with a MotionGenError that has the server's code, or with a MotionGenTimeoutError.
 */
export class RemoteCharacter extends Emitter<CharacterEvents> {
  /** The newest frame received. */
  latest: Frame | null = null;
  isClosed = false;
  /** Text of the last prompt that was sent from here. */
  lastPrompt = "";
  /** The jitter buffer of its frames; its `delay` is how far it plays behind the server. */
  readonly playback: Playback;
  private unobeyed: { verb: string; answer: Answer; sentAt: number }[] = [];

  /** @internal Called by the client. */
  constructor(
    private readonly transport: Transport,
    public number: number,
    /** Secret of this character: `MotionGenClient.watch` takes it. */
    public key: string,
    readonly isReadOnly: boolean,
    fps: number,
    /** The avatar that its frames are of; null where they are of `Hello.skeleton`. */
    public avatar: Avatar | null = null,
  ) {
    super();
    this.playback = new Playback(fps);
  }

  /** Change what the character does, now or in `at` seconds; with `at`, the answer comes when the prompt begins. */
  prompt(text: string, options: { at?: number } & RequestOptions = {}): Promise<Answer> {
    const { at, ...others } = options;
    this.lastPrompt = text;
    return this.submit("prompt", { text, ...(at !== undefined && { at }) }, others);
  }

  /**
   * Append a prompt to the queue. The answer comes when its turn comes, so that it has no time limit by default.
   *
   * It sends the verb `then`, a method name that would make this object a promise.
   */
  next(text: string, options: RequestOptions = {}): Promise<Answer> {
    return this.submit("then", { text }, options);
  }

  /** Stop and idle. */
  hold(): Promise<Answer> {
    return this.submit("hold");
  }

  /** Repeat the best cycle of the motion since the last prompt. */
  loop(): Promise<Answer> {
    return this.submit("loop");
  }

  /** End the present prompt in about this many seconds. */
  finish(seconds: number): Promise<Answer> {
    return this.submit("finish", { seconds });
  }

  /** Jump to a pose, or come to it in `at` seconds: local rotations xyzw and the pelvis in metres; the rest pose when left out. */
  pose(pose: { rotations?: number[][]; root?: Point; at?: number } = {}): Promise<Answer> {
    return this.submit("pose", { ...pose });
  }

  /** Turn by an angle in radians; positive is to the left. */
  turn(angle: number): Promise<Answer> {
    return this.submit("turn", { angle });
  }

  /** Walk to a point of the floor, metres, to look along `heading` there, radians, and be there in `seconds`. */
  goto(x: number, z: number, arrival: Arrival = {}): Promise<Answer> {
    return this.submit("goto", { x, z, ...arrival });
  }

  /** Follow a polyline over the floor from where it is, metres; `speed` in m/s, or `seconds`. */
  path(points: [number, number][], arrival: Arrival & { speed?: number } = {}): Promise<Answer> {
    return this.submit("path", { points, ...arrival });
  }

  /** Go around circles and boxes from now on; none to forget them. */
  avoid(obstacles: Obstacle[]): Promise<Answer> {
    return this.submit("avoid", { obstacles });
  }

  /** Lead a wrist to a point, metres, which may move; null lets go. Of the character: to its left, up, and ahead. */
  reach(hand: "left" | "right", point: Point | null, frame: Reference = "world"): Promise<Answer> {
    return this.submit("reach", { hand, point, frame });
  }

  /** Turn the head to a point, metres, which may move; null lets go. */
  look(point: Point | null, frame: Reference = "world"): Promise<Answer> {
    return this.submit("look", { point, frame });
  }

  /**
   * Move with a velocity in m/s, along the world's +X and +Z or to the left and ahead of the character, until something
   * else is said. The newest wins; a velocity of 0 stops. Facing is a heading in radians; null is the way that it goes.
   */
  steer(
    velocity: [number, number],
    options: { facing?: number | null; frame?: Reference } & RequestOptions = {},
  ): Promise<Answer> {
    const { facing = null, frame = "world", ...others } = options;
    return this.submit("steer", { velocity, facing, frame }, others);
  }

  /** Sample from here on with another random seed. */
  seed(seed: number): Promise<Answer> {
    return this.submit("seed", { seed });
  }

  /** Set the guidance strength: follow the prompt less (1) or more strictly (10). */
  strength(scale: number): Promise<Answer> {
    return this.submit("strength", { scale });
  }

  /** Set the dance style; null is any. */
  style(name: string | null): Promise<Answer> {
    return this.submit("style", { name });
  }

  /** Start dancing to the audio that is sent from now on; `live` for audio that is sent as it is recorded. See Song. */
  music(live = false): Promise<Answer> {
    return this.submit("music", { live });
  }

  /** End the audio; with `now`, discard what was sent and is not danced yet. */
  endMusic(now = false): Promise<Answer> {
    return this.submit("music_end", { now });
  }

  /** Send audio samples, from sample number `first` of the piece on, after `music`; return whether they were sent. */
  sendAudio(samples: Int16Array, rate: number, first: number): boolean {
    return this.transport.send(encodeAudio({ character: this.number, rate, first, samples }));
  }

  /** Send any verb of `Hello.verbs` with the arguments of PROTOCOL.md, and return its answer. */
  async submit(verb: string, values: Message = {}, options: RequestOptions = {}): Promise<Answer> {
    const sentAt = performance.now();
    const reply = await this.transport.request({ type: verb, character: this.number, ...values }, options);
    const answer = reply as unknown as Answer;
    if (this.latest && this.latest.seq >= answer.seq) {
      this.emit("obeyed", { verb, number: answer.number, milliseconds: performance.now() - sentAt });
    } else {
      this.unobeyed.push({ verb, answer, sentAt });
    }
    return answer;
  }

  /** Return the interpolated pose at a local time of `performance.now()`, or null before the first frame. */
  sample(now: number = performance.now()): Pose | null {
    return this.playback.sample(this.transport.serverTime(now));
  }

  /** Close the character on the server. It is closed here even where the server does not answer. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    try {
      await this.transport.request({ type: "close", character: this.number });
    } finally {
      this.markClosed("closed by this page");
    }
  }

  /** @deprecated Use `submit`. */
  say(verb: string, values: Message = {}): Promise<Answer> {
    return this.submit(verb, values);
  }

  /** @deprecated Use `sendAudio`. */
  hear(samples: Int16Array, rate: number, first: number): boolean {
    return this.sendAudio(samples, rate, first);
  }

  /** @deprecated Use `lastPrompt`. */
  get told(): string {
    return this.lastPrompt;
  }

  /** @internal Receive a frame at a local time. */
  receiveFrame(frame: Frame, now: number): void {
    this.latest = frame;
    this.playback.push(frame, this.transport.serverTime(now));
    this.emit("frame", frame);
    this.unobeyed = this.unobeyed.filter(({ verb, answer, sentAt }) => {
      if (frame.seq < answer.seq) return true;
      this.emit("obeyed", { verb, number: answer.number, milliseconds: now - sentAt });
      return false;
    });
  }

  /** @internal Receive an event. */
  receiveEvent(event: StreamEvent): void {
    this.emit("event", event);
  }

  /** @internal Continue as the character that was opened in place of this one on a new session. */
  markReopened(number: number, key: string, avatar: Avatar | null): void {
    [this.number, this.key, this.avatar, this.latest, this.unobeyed] = [number, key, avatar, null, []];
    this.playback.clear();
    this.emit("reborn", number);
  }

  /** @internal Note that the connection dropped. */
  markInterrupted(): void {
    this.emit("interrupted", "the connection was lost");
  }

  /** @internal Note that the character is gone. */
  markClosed(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.emit("closed", reason);
  }
}
