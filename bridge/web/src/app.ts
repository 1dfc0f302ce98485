/** What the page is about: a connection, a stage, and the characters on it. Parts of the page call it and redraw on its word. */

import { type Beginning, MotionGenClient, MotionGenError, type RemoteCharacter } from "./client/client.js";
import { Actor } from "./actor.js";
import { loadMannequin } from "./figures/body.js";
import { DUOS } from "./figures/paint.js";
import { Music } from "./music/music.js";
import type { Stage } from "./stage/stage.js";
import { toast } from "./ui/toast.js";

/** What the first character does when the page opens. */
export const GREETING = "a person waves with the right hand";

/** The page's state, and everything that can be done to it. */
export class App {
  actors: Actor[] = [];
  selected: Actor | null = null;
  /** Whether the next click on the floor sends the selected character there. */
  isAiming = false;
  /** Milliseconds from the last verb to the first frame that obeyed it. */
  obeyedIn = NaN;
  /** What dancers hear. */
  readonly music = new Music(this);
  private readonly watchers: (() => void)[] = [];
  private greeted = false;

  constructor(
    readonly client: MotionGenClient,
    readonly stage: Stage,
    private readonly greeting: string,
  ) {
    client.on("state", () => this.changed());
    client.on("hello", () => this.welcome());
    client.on("error", (error) => toast(error.message));
  }

  /** Whether the server's characters dance to music; others obey words. */
  get dances(): boolean {
    return this.can("music");
  }

  /** Whether the server knows a verb. */
  can(verb: string): boolean {
    return this.client.hello?.verbs.includes(verb) ?? false;
  }

  /** Call back after anything has changed. */
  watch(redraw: () => void): void {
    this.watchers.push(redraw);
  }

  /** Let all parts of the page redraw. */
  changed(): void {
    for (const redraw of this.watchers) redraw();
  }

  /** Put a new character on the stage and select it. */
  async add(beginning: Beginning = {}): Promise<void> {
    await this.try(async () => {
      const slot = this.freeSlot();
      if (slot < 0) throw new MotionGenError("full", `expected at most ${DUOS.length} characters; remove one first`);
      const mannequin = await loadMannequin();
      const remote = await this.client.open(beginning);
      this.enter(new Actor(slot, remote, DUOS[slot]!, mannequin, beginning.prompt ?? ""), remote);
    });
  }

  /** Take a character off the stage. */
  async remove(actor: Actor): Promise<void> {
    await this.try(() => actor.remote.close());
    this.leave(actor);
  }

  /** Speak to this character from now on. */
  select(actor: Actor | null | undefined): void {
    if (!actor || actor === this.selected) return;
    this.selected = actor;
    this.changed();
  }

  /** Do this now. */
  prompt(text: string): Promise<void> {
    return this.tell(async (actor) => {
      actor.clearQueue();
      const { number, note } = await actor.remote.prompt(text);
      actor.say(number, text);
      if (note) toast(note, "note");
    });
  }

  /** Do this afterwards. */
  then(text: string): Promise<void> {
    return this.tell(async (actor) => {
      const entry = actor.enqueue(text);
      try {
        const answer = await actor.remote.next(text);
        entry.number = answer.number;
        actor.say(answer.number, text);
      } catch (error) {
        if (actor.queue.includes(entry)) throw error; // otherwise another verb has emptied the queue
      } finally {
        actor.dequeue(entry);
      }
    }, false);
  }

  /** Stand there alive. */
  hold(): Promise<void> {
    return this.tell(async (actor) => {
      actor.clearQueue();
      actor.say((await actor.remote.hold()).number, "");
    });
  }

  /** Go round and round in what it does. */
  loop(): Promise<void> {
    return this.tell(async (actor) => {
      const doing = actor.doing.replace(/^looping: /, "");
      actor.say((await actor.remote.loop()).number, doing ? `looping: ${doing}` : "looping");
    });
  }

  /** Come to an end. */
  finish(seconds: number): Promise<void> {
    return this.tell(async (actor) => void (await actor.remote.finish(seconds)));
  }

  /** Turn by so many degrees, to the left where it is positive. */
  turn(degrees: number): Promise<void> {
    return this.tell(async (actor) => void (await actor.remote.turn((degrees * Math.PI) / 180)));
  }

  /** Go to the point of the floor that is seen there on the page. */
  async goto(x: number, y: number): Promise<void> {
    this.aim(false);
    const point = this.stage.floorAt(x, y);
    if (point && this.can("goto")) await this.tell((actor) => actor.goto(point));
  }

  /** Wait, or wait no longer, for a click on the floor. */
  aim(isAiming: boolean): void {
    this.isAiming = isAiming && this.selected !== null;
    this.changed();
  }

  /** Start anew from the rest pose, where it began. */
  resetPose(): Promise<void> {
    return this.tell(async (actor) => void (await actor.remote.pose()));
  }

  /** Draw with another seed. */
  reseed(): Promise<void> {
    return this.tell(async (actor) => {
      const seed = Math.floor(Math.random() * 10_000);
      await actor.remote.seed(seed);
      actor.seed = seed;
    });
  }

  /** Follow the words less or more strictly. */
  strengthen(scale: number): Promise<void> {
    return this.tell(async (actor) => {
      actor.strength = scale;
      await actor.remote.strength(scale);
    });
  }

  /** Dance to a file. */
  play(file: File): Promise<void> {
    return this.tell(() => this.music.play(file));
  }

  /** Dance to the microphone; again, and it is closed. */
  listen(): Promise<void> {
    return this.tell(() => (this.music.isLive ? this.music.stop() : this.music.listen()));
  }

  /** Stop the music. */
  silence(): Promise<void> {
    return this.tell(() => this.music.stop());
  }

  /** Dance in another style, or in any. */
  restyle(name: string | null): Promise<void> {
    return this.tell(async (actor) => {
      await actor.remote.style(name);
      actor.style = name;
    });
  }

  /** Do something to the selected character; what goes wrong is shown. */
  private async tell(say: (actor: Actor) => Promise<void>, waits = true): Promise<void> {
    const actor = this.selected;
    if (!actor) return;
    if (waits) actor.awaits += 1;
    this.changed();
    await this.try(() => say(actor));
    if (waits) actor.awaits -= 1;
    this.changed();
  }

  /** Do something, and show what goes wrong. */
  async try(something: () => Promise<unknown>): Promise<void> {
    try {
      await something();
    } catch (error) {
      toast((error as Error).message || String(error));
    }
  }

  private welcome(): void {
    if (this.greeted) return this.changed();
    this.greeted = true;
    void this.add(this.greeting && this.can("prompt") ? { prompt: this.greeting } : {});
  }

  private enter(actor: Actor, remote: RemoteCharacter): void {
    actor.onchange = () => this.changed();
    remote.on("obeyed", ({ verb, milliseconds }) => {
      if (verb !== "then") this.obeyedIn = milliseconds; // that one waits for its turn
      this.changed();
    });
    remote.on("closed", (why) => {
      if (!this.actors.includes(actor)) return;
      toast(`A character is gone: ${why}`);
      this.leave(actor);
    });
    this.actors = [...this.actors, actor].sort((a, b) => a.slot - b.slot);
    this.stage.scene.add(actor.group);
    this.selected = actor;
    this.changed();
  }

  private leave(actor: Actor): void {
    const at = this.actors.indexOf(actor);
    if (at < 0) return;
    this.actors = this.actors.filter((other) => other !== actor);
    if (this.selected === actor) this.selected = this.actors[Math.min(at, this.actors.length - 1)] ?? null;
    actor.dispose();
    this.changed();
  }

  private freeSlot(): number {
    return DUOS.findIndex((_, slot) => !this.actors.some((actor) => actor.slot === slot));
  }
}
