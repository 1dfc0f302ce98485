/** The characters of one client, by their number on the connection; restores them on a new connection. */

import { type Beginning, RemoteCharacter, type Transport } from "./character.js";
import { MotionGenError } from "./errors.js";
import type { Message } from "./requests.js";
import type { Avatar, Format, Frame, StreamEvent } from "./wire.js";

/** Sends a message and returns its answer. */
type Request = (message: Message) => Promise<Message>;

/** Codes of the client's own errors after which a request may succeed on another connection. */
const CONNECTION_LOSS = new Set(["disconnected", "timeout"]);

/** The characters that a client opened or watches. */
export class CharacterTable {
  readonly byNumber = new Map<number, RemoteCharacter>();
  private readonly beginnings = new WeakMap<RemoteCharacter, Beginning>();

  /**
   * @param transport the client.
   * @param format of the frames of characters that are opened again.
   * @param onActive called with each character that was opened, resumed or opened again.
   */
  constructor(
    private readonly transport: Transport,
    private readonly format: Format,
    private readonly onActive: (character: RemoteCharacter) => void,
  ) {}

  /** Return a new character for the server's answer to `open` or `watch`; a read-only one has no beginning. */
  create(reply: Message, key: string, fps: number, beginning: Beginning | null): RemoteCharacter {
    const number = reply["character"] as number;
    const character = new RemoteCharacter(this.transport, number, key, beginning === null, fps, avatarOf(reply));
    this.beginnings.set(character, beginning ?? {});
    this.insert(character);
    return character;
  }

  /** Give a frame to its character. The last frames of a closed character belong to none, and are dropped. */
  receiveFrame(frame: Frame, now: number): void {
    this.byNumber.get(frame.character)?.receiveFrame(frame, now);
  }

  /** Give an event to its character. */
  receiveEvent(event: StreamEvent): void {
    const character = this.byNumber.get(event.character);
    character?.receiveEvent(event);
    if (event.event !== "closed" || !character) return;
    this.byNumber.delete(event.character);
    character.markClosed(event.text ?? "closed by the server");
  }

  /** Tell all characters that the connection dropped. */
  interruptAll(): void {
    for (const character of this.byNumber.values()) character.markInterrupted();
  }

  /** Close all characters here. */
  closeAll(reason: string): void {
    for (const character of [...this.byNumber.values()]) character.markClosed(reason);
    this.byNumber.clear();
  }

  /**
   * Continue the characters of a lost session on this connection.
   *
   * @returns whether the server still had the session.
   * @throws MotionGenError the connection dropped, or the server did not answer.
   */
  async resume(request: Request, session: string): Promise<boolean> {
    const last: Record<string, number> = {};
    for (const { number, latest } of this.byNumber.values()) last[number] = latest?.seq ?? -1;
    try {
      await request({ type: "resume", session, last });
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      return false;
    }
    for (const character of this.byNumber.values()) this.onActive(character);
    return true;
  }

  /**
   * Open all characters again on this connection, each with its last prompt; the server has lost them.
   *
   * @throws MotionGenError the connection dropped, or the server did not answer; the rest is to be opened later.
   */
  async reopen(request: Request): Promise<void> {
    const lost = [...this.byNumber.values()];
    this.byNumber.clear();
    for (const [i, character] of lost.entries()) {
      try {
        await this.reopenOne(character, request);
      } catch (error) {
        if (isConnectionLoss(error)) {
          for (const rest of lost.slice(i)) this.byNumber.set(rest.number, rest);
          throw error;
        }
        character.markClosed((error as Error).message);
      }
    }
  }

  private async reopenOne(character: RemoteCharacter, request: Request): Promise<void> {
    if (character.isReadOnly) throw new MotionGenError("gone", "the character that was watched is gone");
    const { lastPrompt } = character;
    const beginning = { ...this.beginnings.get(character), ...(lastPrompt && { prompt: lastPrompt }) };
    const reply = await request({ type: "open", format: this.format, ...beginning });
    character.markReopened(reply["character"] as number, reply["key"] as string, avatarOf(reply));
    this.insert(character);
  }

  private insert(character: RemoteCharacter): void {
    const { number } = character;
    this.byNumber.set(number, character);
    character.on("closed", () => this.byNumber.get(number) === character && this.byNumber.delete(number));
    this.onActive(character);
  }
}

function avatarOf(reply: Message): Avatar | null {
  return (reply["avatar"] as Avatar | undefined) ?? null;
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof MotionGenError && CONNECTION_LOSS.has(error.code);
}
