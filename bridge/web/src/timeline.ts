/** What a character does next: prompts that wait, each until the motion before it ends or for some seconds. */

import type { Answer, RemoteCharacter } from "./client/client.js";

/** A prompt that waits for its turn. */
export interface QueuedPrompt {
  text: string;
  /** How long it is to last; null for as long as its motion takes. */
  seconds: number | null;
  /** Whether the server has it already: then it can be neither taken out nor moved any more. */
  isSent: boolean;
}

/** What the timeline tells its character. */
export interface TimelineHandlers {
  /** A prompt has begun. */
  onStart: (text: string, answer: Answer) => void;
  /** Its time was over, and nothing followed. */
  onEnd: (answer: Answer) => void;
  /** Prompts were added, removed, moved or sent. */
  onChange: () => void;
  onError: (error: unknown) => void;
}

/**
 * The prompts of one character that are still to come.
 *
 * The first of them is sent ahead where the present motion ends by itself, so that the server joins the two without a
 * gap. All others stay here, and can be removed and moved; as does all that waits while a prompt has its seconds.
 */
export class Timeline {
  queue: QueuedPrompt[] = [];
  /** Frame at which the present prompt has had its seconds; infinite where it has as long as it takes. */
  private end = Infinity;
  /** Counts up where all was forgotten: answers of before mean nothing. */
  private round = 0;

  /** @param fps frames a second of the character. */
  constructor(
    private readonly remote: RemoteCharacter,
    private readonly fps: number,
    private readonly handlers: TimelineHandlers,
  ) {
    remote.on("frame", ({ seq }) => this.advance(seq));
  }

  /** Whether the present prompt has its seconds. */
  get isTimed(): boolean {
    return this.end < Infinity;
  }

  /** Append a prompt. */
  add(text: string, seconds: number | null): void {
    this.replace([...this.queue, { text, seconds, isSent: false }]);
    this.sendAhead();
  }

  /** Take a prompt out that was not sent yet. */
  remove(entry: QueuedPrompt): void {
    if (!entry.isSent) this.replace(this.queue.filter((other) => other !== entry));
  }

  /** Move a prompt that was not sent yet to a place of the queue, the nearest that is free: what was sent stays first. */
  move(entry: QueuedPrompt, place: number): void {
    if (entry.isSent || !this.queue.includes(entry)) return;
    const others = this.queue.filter((other) => other !== entry);
    const sent = others.filter(({ isSent }) => isSent).length;
    others.splice(Math.max(sent, place), 0, entry);
    this.replace(others);
  }

  /** Forget all, and return it: something else was said. */
  clear(): QueuedPrompt[] {
    const forgotten = this.queue;
    this.round += 1;
    this.end = Infinity;
    this.replace([]);
    return forgotten;
  }

  /** Show again what was forgotten: the server has refused what was said. */
  restore(forgotten: QueuedPrompt[]): void {
    this.replace([...forgotten.map((entry) => ({ ...entry, isSent: false })), ...this.queue]);
    this.sendAhead();
  }

  /** Note that a prompt began, and for how many seconds; null for as long as it takes. */
  begin(answer: Answer, seconds: number | null): void {
    this.end = seconds === null ? Infinity : answer.seq + seconds * this.fps;
    this.sendAhead();
  }

  private sendAhead(): void {
    const [first] = this.queue;
    if (!first || first.isSent || this.isTimed) return;
    void this.start(first, () => this.remote.next(first.text));
  }

  private advance(seq: number): void {
    if (seq < this.end) return;
    this.end = Infinity;
    const [first] = this.queue;
    if (first) {
      void this.start(first, () => this.remote.prompt(first.text));
    } else {
      this.remote.hold().then(this.handlers.onEnd, this.handlers.onError);
    }
  }

  /** Send a prompt; when its turn has come, the next one's may. */
  private async start(entry: QueuedPrompt, send: () => Promise<Answer>): Promise<void> {
    const { round } = this;
    entry.isSent = true;
    this.handlers.onChange();
    try {
      const answer = await send();
      if (round !== this.round) return;
      this.handlers.onStart(entry.text, answer);
      this.replace(this.queue.filter((other) => other !== entry));
      this.begin(answer, entry.seconds);
    } catch (error) {
      if (round !== this.round) return; // another verb has emptied the queue
      this.replace(this.queue.filter((other) => other !== entry));
      this.handlers.onError(error);
    }
  }

  private replace(queue: QueuedPrompt[]): void {
    this.queue = queue;
    this.handlers.onChange();
  }
}
