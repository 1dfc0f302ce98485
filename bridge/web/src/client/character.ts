/** One character on a server, as this page sees it: verbs go out, frames and events come in. */

import { encodeAudio } from "./audio.js";
import { Emitter } from "./emitter.js";
import { Playback, type Pose } from "./playback.js";
import type { Frame, StreamEvent } from "./wire.js";

/** What a server answers to a verb. */
export interface Answer {
  /** Number of the first frame that obeys. */
  seq: number;
  /** Number of the verb; frames that are the answer to it carry it. */
  number: number;
  /** A sentence, where there is something to say. */
  note?: string;
}

/** What a character begins with. */
export interface Beginning {
  prompt?: string;
  /** The same seed and the same verbs at the same frames give the same motion. */
  seed?: number;
  /** How strictly it follows its words, or the music, 1 to 10. */
  strength?: number;
  /** Of a dancer: one of `Hello.styles`. */
  style?: string;
}

/** What a character tells of. */
export interface CharacterEvents {
  /** A frame came; to draw, use `sample`, which interpolates. */
  frame: Frame;
  /** Something came about. */
  event: StreamEvent;
  /** The first frame that obeys a verb came, so long after the verb was said. */
  obeyed: { verb: string; number: number; milliseconds: number };
  /** The server had forgotten it, and it was opened again: numbers of frames and verbs begin anew. */
  reborn: number;
  /** The connection dropped: sound that was on its way is lost. */
  interrupted: string;
  /** It is gone, and why. */
  closed: string;
}

/** How a character reaches its server; the client is one. */
export interface Line {
  request(message: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Send a binary message; return whether there is a connection. */
  send(data: ArrayBuffer): boolean;
  /** The server's time at a local time, milliseconds. */
  serverTime(now: number): number;
}

/** A character: made by `MotionGenClient.open` or `watch`. Verbs reject with a MotionGenError that has the server's code. */
export class RemoteCharacter extends Emitter<CharacterEvents> {
  /** The newest frame that came. */
  latest: Frame | null = null;
  isClosed = false;
  /** Words of the last prompt that was said from here. */
  told = "";
  /** Its frames, for who wants to choose how far behind the server to be. */
  readonly playback: Playback;
  private waiting: { verb: string; answer: Answer; said: number }[] = [];

  /** Made by the client. */
  constructor(
    private readonly line: Line,
    public number: number,
    /** Whoever has it can watch this character. */
    public key: string,
    readonly isReadOnly: boolean,
    fps: number,
  ) {
    super();
    this.playback = new Playback(fps);
  }

  /** Do this: now, or in `at` seconds. */
  prompt(text: string, options: { at?: number } = {}): Promise<Answer> {
    this.told = text;
    return this.say("prompt", { text, ...options });
  }

  /** Do this when what is being done has ended; answered when it begins. The verb is `then`, a name that would make
   * this object a promise. */
  next(text: string): Promise<Answer> {
    return this.say("then", { text });
  }

  /** Stop, and stand there alive. */
  hold(): Promise<Answer> {
    return this.say("hold");
  }

  /** Go round and round in the best cycle of what was done since the last prompt. */
  loop(): Promise<Answer> {
    return this.say("loop");
  }

  /** Come to the end of what is being done in so many seconds. */
  finish(seconds: number): Promise<Answer> {
    return this.say("finish", { seconds });
  }

  /** Start anew from a pose: local rotations xyzw and the pelvis in metres; the rest pose when left out. */
  pose(pose: { rotations?: number[][]; root?: [number, number, number] } = {}): Promise<Answer> {
    return this.say("pose", { ...pose });
  }

  /** Turn by an angle in radians, to the left where it is positive. */
  turn(angle: number): Promise<Answer> {
    return this.say("turn", { angle });
  }

  /** Walk to a point of the floor, metres. */
  goto(x: number, z: number): Promise<Answer> {
    return this.say("goto", { x, z });
  }

  /** Draw from here on with another seed. */
  seed(seed: number): Promise<Answer> {
    return this.say("seed", { seed });
  }

  /** Follow the words less (1) or more strictly (10). */
  strength(scale: number): Promise<Answer> {
    return this.say("strength", { scale });
  }

  /** Dance in a style, or in any. */
  style(name: string | null): Promise<Answer> {
    return this.say("style", { name });
  }

  /** Dance to the sound that comes from now on; `live` where it comes as it is played. See Song for a whole piece. */
  music(live = false): Promise<Answer> {
    return this.say("music", { live });
  }

  /** Send no more sound; with `now`, forget what was sent and is not danced yet. */
  endMusic(now = false): Promise<Answer> {
    return this.say("music_end", { now });
  }

  /** Let it hear the samples from number `first` on, after `music`; return whether they were sent. */
  hear(samples: Int16Array, rate: number, first: number): boolean {
    return this.line.send(encodeAudio({ character: this.number, rate, first, samples }));
  }

  /** Say any verb of `Hello.verbs`, with the arguments of PROTOCOL.md. */
  async say(verb: string, values: Record<string, unknown> = {}): Promise<Answer> {
    const said = performance.now();
    const reply = await this.line.request({ type: verb, character: this.number, ...values });
    const answer = reply as unknown as Answer;
    if (this.latest && this.latest.seq >= answer.seq) {
      this.emit("obeyed", { verb, number: answer.number, milliseconds: performance.now() - said });
    } else {
      this.waiting.push({ verb, answer, said });
    }
    return answer;
  }

  /** Return what it looks like at a local time of `performance.now()`, or null before its first frame. */
  sample(now: number = performance.now()): Pose | null {
    return this.playback.sample(this.line.serverTime(now));
  }

  /** Leave; the server forgets the character. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    await this.line.request({ type: "close", character: this.number });
    this.ended("closed by this page");
  }

  /** Take a frame; for the client. */
  receive(frame: Frame, now: number): void {
    this.latest = frame;
    this.playback.push(frame, this.line.serverTime(now));
    this.emit("frame", frame);
    this.waiting = this.waiting.filter(({ verb, answer, said }) => {
      if (frame.seq < answer.seq) return true;
      this.emit("obeyed", { verb, number: answer.number, milliseconds: now - said });
      return false;
    });
  }

  /** Take an event; for the client. */
  happened(event: StreamEvent): void {
    this.emit("event", event);
  }

  /** Go on as another character of another session, in the same place on the page; for the client. */
  reborn(number: number, key: string): void {
    [this.number, this.key, this.latest, this.waiting] = [number, key, null, []];
    this.playback.clear();
    this.emit("reborn", number);
  }

  /** Be without a connection for a while; for the client. */
  interrupt(): void {
    this.emit("interrupted", "the connection was lost");
  }

  /** Be gone; for the client. */
  ended(why: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.emit("closed", why);
  }
}
