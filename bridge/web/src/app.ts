/** The page's state, and everything that its controls can do: the characters, the selection and the connection. */

import { type Answer, type Beginning, MotionGenClient, MotionGenError, type RemoteCharacter } from "./client/client.js";
import { CharacterView } from "./character-view.js";
import { COLOUR_PAIRS } from "./figures/colours.js";
import { Stick } from "./driving/stick.js";
import type { FloorPoint } from "./driving/floor-path.js";
import { loadMannequin } from "./figures/mannequin.js";
import { loadAvatar } from "./figures/model-file.js";
import type { ModelFigure } from "./figures/models.js";
import { MusicController } from "./music/music-controller.js";
import type { SceneRenderer } from "./scene/scene-renderer.js";
import { showError, toast } from "./ui/toast.js";
import { serverFile } from "./server-files.js";

/** Prompt of the first character. */
export const FIRST_PROMPT = "a person waves with the right hand";

/** The page. Its controls call its methods, and redraw when it calls them back. */
export class App {
  characters: CharacterView[] = [];
  selected: CharacterView | null = null;
  /** Whether the next click on the floor sends the selected character there. */
  isPickingTarget = false;
  /** Milliseconds from the last verb to the first frame that obeyed it. */
  responseTime = NaN;
  readonly music: MusicController;
  /** Arrow keys and a gamepad, which drive the selected character. */
  readonly stick = new Stick((velocity) => this.steer(velocity));
  private readonly listeners: (() => void)[] = [];
  private hasOpenedFirst = false;
  /** Whether the camera shows all characters: until one is chosen. */
  showsAll = false;
  /** Places of characters that are being opened. */
  private readonly takenSlots = new Set<number>();

  constructor(
    readonly client: MotionGenClient,
    readonly scene: SceneRenderer,
    private readonly firstPrompt: string,
    private readonly firstSeed: number | null = null,
  ) {
    this.music = new MusicController(() => this.notify());
    client.on("state", () => this.notify());
    client.on("hello", () => this.handleHello());
    client.on("error", showError);
  }

  /** Whether the server's characters dance to music; others follow text prompts. */
  get isDanceServer(): boolean {
    return this.supports("music");
  }

  /** Whether a character is on its way to the stage. */
  get isLoading(): boolean {
    const isComing = this.takenSlots.size > 0 || this.characters.some(({ group }) => !group.visible);
    return this.client.state === "open" && (isComing || !this.hasOpenedFirst);
  }

  /** Whether the server knows a verb. */
  supports(verb: string): boolean {
    return this.client.hello?.verbs.includes(verb) ?? false;
  }

  /** Call back after any change of state. */
  onChange(redraw: () => void): void {
    this.listeners.push(redraw);
  }

  /** Let all controls redraw. */
  notify(): void {
    for (const redraw of this.listeners) redraw();
  }

  /** Open a character and select it. */
  async addCharacter(beginning: Beginning = {}): Promise<void> {
    await this.attempt(async () => {
      const slot = this.freeSlot();
      if (slot < 0) throw new MotionGenError("full", `expected at most ${COLOUR_PAIRS.length} characters; remove one first`);
      this.takenSlots.add(slot);
      try {
        const seed = beginning.seed ?? randomSeed(); // a link can name it
        const mannequin = await loadMannequin();
        const remote = await this.client.open({ ...beginning, seed });
        const { fps, avatars = [] } = this.client.hello!;
        const view = new CharacterView(slot, remote, COLOUR_PAIRS[slot]!, mannequin, beginning.prompt ?? "", seed, fps);
        this.insert(view);
        const [first] = avatars.filter(({ file }) => file);
        if (first) void this.attempt(() => this.showAvatar(view, first.name));
      } finally {
        this.takenSlots.delete(slot);
        this.notify();
      }
    });
  }

  /** Close a character. */
  async removeCharacter(view: CharacterView): Promise<void> {
    this.detach(view);
    await this.attempt(() => view.remote.close());
  }

  /** Select a character: the controls act on it. */
  select(view: CharacterView | null | undefined): void {
    if (!view) return;
    if (view !== this.selected) this.stick.reset();
    this.showsAll = false;
    this.selected = view;
    this.notify();
  }

  /** Follow a prompt now, for some seconds or as long as it takes. */
  prompt(text: string, seconds: number | null = null): Promise<void> {
    return this.command(async (view) => {
      const answer = await this.replaceQueue(view, () => view.remote.prompt(text));
      view.setVerbText(answer.number, text);
      view.timeline.begin(answer, seconds);
      if (answer.note) toast(answer.note, "note");
    });
  }

  /** Follow a prompt after the present one, for some seconds or as long as it takes. */
  queuePrompt(text: string, seconds: number | null = null): void {
    this.selected?.timeline.add(text, seconds);
  }

  /** Show a character on one of the server's avatars. */
  async showAvatar(view: CharacterView, name: string): Promise<void> {
    const shown = await this.client.watch(view.remote.key, { avatar: name });
    let figure: ModelFigure;
    try {
      const { avatar } = shown;
      if (!avatar?.file) throw new MotionGenError("no_figure", `${name}: the server has a skeleton of it alone`);
      figure = await loadAvatar(avatar, serverFile(avatar.file));
    } catch (error) {
      shown.close().catch(() => {});
      throw error;
    }
    if (this.characters.includes(view)) view.setFigure(figure, shown);
    else figure.dispose();
  }

  /** Stop and idle. */
  hold(): Promise<void> {
    return this.command(async (view) => {
      const { number } = await this.replaceQueue(view, () => view.remote.hold());
      view.setVerbText(number, "");
    });
  }

  /** Repeat the present motion. */
  loop(): Promise<void> {
    return this.command(async (view) => {
      const activity = view.activity.replace(/^looping: /, "");
      view.setVerbText((await view.remote.loop()).number, activity ? `looping: ${activity}` : "looping");
    });
  }

  /** End the present motion. */
  finish(seconds: number): Promise<void> {
    return this.command((view) => view.remote.finish(seconds));
  }

  /** Turn by an angle in degrees; positive is to the left. */
  turn(degrees: number): Promise<void> {
    return this.command((view) => view.remote.turn((degrees * Math.PI) / 180));
  }

  /** Walk to the point of the floor that is drawn at a point of the page. */
  async goto(x: number, y: number): Promise<void> {
    this.pickTarget(false);
    const point = this.scene.floorAt(x, y);
    if (point && this.supports("goto")) await this.command((view) => view.goto(point));
  }

  /** Walk along a way that was drawn on the floor. */
  async follow(points: FloorPoint[]): Promise<void> {
    this.pickTarget(false);
    await this.command((view) => view.follow(points));
  }

  /** Move with a velocity over the floor, m/s; it is sent so often that nothing waits for it. */
  private async steer(velocity: [number, number]): Promise<void> {
    const view = this.selected;
    if (!view || !this.supports("steer")) return;
    await this.attempt(() => view.steer(velocity));
  }

  /** Start or stop waiting for a click on the floor. */
  pickTarget(isPicking: boolean): void {
    this.isPickingTarget = isPicking && this.selected !== null;
    this.notify();
  }

  /** Keep the pose that is shown: the character comes to it again at a time ahead, which can be moved on the strip. */
  keepPose(): void {
    if (this.selected && !this.selected.keepPose()) toast("The next ten seconds are full of poses; drop one first", "note");
  }

  /** Jump to the rest pose at the origin. */
  resetPose(): Promise<void> {
    return this.command((view) => view.remote.pose());
  }

  /** Sample with another random seed. */
  reseed(): Promise<void> {
    return this.command(async (view) => {
      const seed = randomSeed();
      await view.remote.seed(seed);
      view.seed = seed;
    });
  }

  /** Set the guidance strength. */
  setStrength(scale: number): Promise<void> {
    return this.command(async (view) => {
      const before = view.strength;
      view.strength = scale;
      try {
        await view.remote.strength(scale);
      } catch (error) {
        view.strength = before;
        throw error;
      }
    });
  }

  /** Dance to a sound file. */
  playFile(file: File): Promise<void> {
    return this.command((view) => this.music.playFile(view, file, this.client.hello!));
  }

  /** Start or stop dancing to the microphone. */
  toggleMicrophone(): Promise<void> {
    return this.command((view) => (this.music.isLive ? this.music.stop() : this.music.useMicrophone(view)));
  }

  /** Stop the music. */
  stopMusic(): Promise<void> {
    return this.command(() => this.music.stop());
  }

  /** Set the dance style; null is any. */
  setStyle(name: string | null): Promise<void> {
    return this.command(async (view) => {
      await view.remote.style(name);
      view.style = name;
    });
  }

  /** Run an action, and show its error where it fails. */
  async attempt(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      showError(error);
    }
  }

  /** Run an action on the selected character, which counts as a pending request meanwhile. */
  private async command(action: (view: CharacterView) => Promise<unknown>): Promise<void> {
    const view = this.selected;
    if (!view) return;
    view.pendingRequests += 1;
    this.notify();
    await this.attempt(() => action(view));
    view.pendingRequests -= 1;
    this.notify();
  }

  /** Send a verb that empties the queue and ends `goto`. Where it fails the server has changed nothing: show both again. */
  private async replaceQueue(view: CharacterView, send: () => Promise<Answer>): Promise<Answer> {
    const { showsTarget } = view;
    const queue = view.timeline.clear();
    view.showsTarget = false;
    try {
      return await send();
    } catch (error) {
      view.timeline.restore(queue);
      view.showsTarget = showsTarget;
      throw error;
    }
  }

  private handleHello(): void {
    if (this.hasOpenedFirst) return this.notify();
    this.hasOpenedFirst = true;
    const prompt = this.firstPrompt && this.supports("prompt") ? { prompt: this.firstPrompt } : {};
    void this.addCharacter({ ...prompt, ...(this.firstSeed !== null && { seed: this.firstSeed }) });
  }

  private insert(view: CharacterView): void {
    view.onChange = () => this.notify();
    this.watchRemote(view, view.remote);
    this.characters = [...this.characters, view].sort((a, b) => a.slot - b.slot);
    this.scene.root.add(view.group);
    this.selected = view;
    this.showsAll = this.characters.length > 1;
    this.notify();
  }

  private watchRemote(view: CharacterView, remote: RemoteCharacter): void {
    remote.on("obeyed", ({ verb, milliseconds }) => {
      if (verb !== "then") this.responseTime = milliseconds; // a queued prompt waits for its turn
      this.notify();
    });
    remote.on("event", ({ event, text }) => {
      if (event === "note" && text) toast(text, "note");
    });
    remote.on("closed", (reason) => {
      if (!this.characters.includes(view)) return;
      toast(`A character is gone: ${reason}`);
      this.detach(view);
    });
  }

  private detach(view: CharacterView): void {
    const at = this.characters.indexOf(view);
    if (at < 0) return;
    this.characters = this.characters.filter((other) => other !== view);
    if (this.selected === view) this.selected = this.characters[Math.min(at, this.characters.length - 1)] ?? null;
    view.dispose();
    this.notify();
  }

  private freeSlot(): number {
    const isTaken = (slot: number) => this.takenSlots.has(slot) || this.characters.some((view) => view.slot === slot);
    return COLOUR_PAIRS.findIndex((_, slot) => !isTaken(slot));
  }
}

function randomSeed(): number {
  return Math.floor(Math.random() * 10_000);
}
