/** Controls the music of the page: one sound file or the microphone, for one dancing character at a time. */

import type { CharacterView } from "../character-view.js";
import { type Hello, Song } from "../client/client.js";
import { toast } from "../ui/toast.js";
import { AudioPlayer } from "./audio-player.js";
import { MicrophoneSource } from "./microphone.js";

/** Extensions of files that are taken for music. */
export const SOUND_FILES = ".mp3,.wav,.ogg,.oga,.flac,.m4a,.aac,.opus";

/** Whether a file is music, by its type or its extension. */
export function isSoundFile(file: File): boolean {
  return file.type.startsWith("audio/") || SOUND_FILES.split(",").some((end) => file.name.toLowerCase().endsWith(end));
}

/** Starts and stops music, and plays it in step with the character's frames. */
export class MusicController {
  /** Name of the music; empty where there is none. */
  title = "";
  /** Whether the music is the microphone's. */
  isLive = false;
  private readonly player = new AudioPlayer();
  private buffer: AudioBuffer | null = null;
  private source: Song | MicrophoneSource | null = null;

  /** @param onChange called after any change of state. */
  constructor(private readonly onChange: () => void) {}

  /** The second of the file that fits the shown frame; null while it is unknown. */
  get position(): number | null {
    return this.source instanceof Song ? this.source.position() : null;
  }

  /** Let a character dance to a sound file. */
  async playFile(view: CharacterView, file: File, hello: Hello): Promise<void> {
    await this.start(view, file.name, async () => {
      const { buffer, samples, rate } = await this.player.decode(file);
      this.source = await Song.begin(view.remote, hello, samples, rate);
      this.buffer = buffer;
    });
  }

  /** Let a character dance to the microphone. */
  async useMicrophone(view: CharacterView): Promise<void> {
    await this.start(view, "the microphone", async () => {
      this.source = await MicrophoneSource.open(view.remote);
      this.isLive = true;
    });
  }

  /** Stop the music. */
  async stop(): Promise<void> {
    const source = this.source;
    this.player.stop();
    [this.title, this.isLive, this.buffer, this.source] = ["", false, null, null];
    this.onChange();
    await source?.stop();
  }

  /** Keep the sound in step with the shown frame; called once a drawn frame. */
  update(): void {
    if (!(this.source instanceof Song) || !this.buffer) return;
    const position = this.position;
    this.player.follow(this.buffer, position);
    if (this.source.isOver && position !== null && position > this.buffer.duration) void this.stop();
  }

  private async start(view: CharacterView, title: string, open: () => Promise<void>): Promise<void> {
    await this.stop();
    await open();
    this.title = title;
    const source = this.source!;
    view.setVerbText(source.number, `dancing to ${title}`);
    view.remote.on("interrupted", () => this.source === source && this.handleInterrupted());
    view.remote.on("closed", () => this.source === source && void this.stop());
    this.onChange();
  }

  /** Audio that was on its way was lost with the connection, so that the piece would have to start again. */
  private handleInterrupted(): void {
    void this.stop();
    toast("The music stopped: the connection was lost. Play it again.");
  }
}
