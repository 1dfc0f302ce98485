/** The music of the page: one piece, or the microphone, for one dancer at a time. */

import type { Actor } from "../actor.js";
import type { App } from "../app.js";
import { Song } from "../client/client.js";
import { toast } from "../ui/toast.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";

/** Files that are taken for music. */
export const SOUND_FILES = ".mp3,.wav,.ogg,.oga,.flac,.m4a,.aac,.opus";

/** Whether a file is more likely music than anything else. */
export function isSound(file: File): boolean {
  return file.type.startsWith("audio/") || SOUND_FILES.split(",").some((end) => file.name.toLowerCase().endsWith(end));
}

/** What is playing, and for whom. */
export class Music {
  /** What is danced to; nothing where nothing is. */
  title = "";
  isLive = false;
  private readonly player = new Player();
  private piece: AudioBuffer | null = null;
  private source: Song | Microphone | null = null;

  constructor(private readonly app: App) {}

  /** The second of the piece that is to be heard with what is on the screen; null where it is not known. */
  get position(): number | null {
    return this.source instanceof Song ? this.source.position() : null;
  }

  /** Let the selected character dance to a file. */
  async play(file: File): Promise<void> {
    await this.begin(file.name, async (actor) => {
      const { heard, sent, rate } = await this.player.decode(file);
      this.source = await Song.begin(actor.remote, this.app.client.hello!, sent, rate);
      this.piece = heard;
    });
  }

  /** Let the selected character dance to what the microphone hears. */
  async listen(): Promise<void> {
    await this.begin("the microphone", async (actor) => {
      this.source = await Microphone.listen(actor.remote);
      this.isLive = true;
    });
  }

  /** Be silent, and let the character rest. */
  async stop(): Promise<void> {
    const source = this.source;
    this.forget();
    await source?.stop();
  }

  /** Keep the sound in step with the picture; once a picture. */
  update(): void {
    if (!(this.source instanceof Song) || !this.piece) return;
    const position = this.position;
    this.player.follow(this.piece, position);
    if (this.source.isOver && position !== null && position > this.piece.duration) void this.stop();
  }

  private async begin(title: string, start: (actor: Actor) => Promise<void>): Promise<void> {
    const actor = this.app.selected;
    if (!actor) throw new Error("There is no character to dance; add one first");
    await this.stop();
    await start(actor);
    this.title = title;
    actor.say(this.source!.number, `dancing to ${title}`);
    const source = this.source;
    actor.remote.on("interrupted", () => this.source === source && this.lose());
    actor.remote.on("closed", () => this.source === source && void this.stop());
    this.app.changed();
  }

  /** Sound that was on its way is gone with the connection: it would have to begin anew. */
  private lose(): void {
    void this.stop();
    toast("The music stopped: the connection was lost. Play it again.");
  }

  private forget(): void {
    this.player.stop();
    [this.title, this.isLive, this.piece, this.source] = ["", false, null, null];
    this.app.changed();
  }
}
