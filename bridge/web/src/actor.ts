/** A character on the stage: what its stream says, the figure that it moves, and what it leaves on the floor. */

import { Group, Object3D, Vector3 } from "three";
import type { RemoteCharacter, StreamEvent } from "./client/client.js";
import { Body } from "./figures/body.js";
import type { Figure } from "./figures/figure.js";
import type { Duo } from "./figures/paint.js";
import { Prints, Ring } from "./stage/marks.js";

/** Characters begin at the same point of their own scenes; here they stand side by side, metres apart. */
const APART = 1.5;
const FEET = { left: ["left_ankle", "left_foot", 0b0011], right: ["right_ankle", "right_foot", 0b1100] } as const;

/** A character as the page shows it. */
export class Actor {
  readonly group = new Group();
  figure: Figure;
  /** Words for what it does now, and whether it is only standing there. */
  doing = "";
  isIdle = true;
  /** Prompts that wait for their turn. */
  queue: { number: number; text: string }[] = [];
  /** Whether a verb is on its way. */
  awaits = 0;
  seed: number | null = null;
  strength: number | null = null;
  style: string | null = null;
  /** Told after anything of the above has changed. */
  onchange = () => {};
  private readonly prints: Prints;
  private readonly ring: Ring;
  private readonly target: Ring;
  private readonly said = new Map<number, string>();
  private obeyed = -1;
  private touching = 0;

  /**
   * @param slot place among the characters, from 0: it says where it stands.
   * @param beginning words that it was opened with; their verb has a number that only its frames tell.
   */
  constructor(
    readonly slot: number,
    readonly remote: RemoteCharacter,
    readonly duo: Duo,
    private readonly mannequin: Object3D,
    private beginning: string,
  ) {
    this.figure = new Body(mannequin, duo);
    this.prints = new Prints(duo);
    this.ring = new Ring(duo.left, 1.25, false);
    this.target = new Ring(duo.right, 0.8, true);
    this.group.position.x = APART * (slot % 2 ? -Math.ceil(slot / 2) : slot / 2);
    this.group.add(this.figure.object, this.prints.mesh, this.ring.mesh, this.target.mesh);
    this.group.visible = false; // until its first frame
    remote.on("event", (event) => this.happened(event));
    remote.on("reborn", () => this.startOver());
  }

  /** Draw the pose of this moment. */
  update(seconds: number, now: number, isSelected: boolean): void {
    const pose = this.remote.sample(now);
    if (pose) {
      this.figure.apply(pose, seconds);
      this.group.visible = true;
      this.group.updateMatrixWorld(true);
      this.walk(pose.contacts, now / 1000);
      if (pose.obeys !== this.obeyed) this.obeys(pose.obeys);
    }
    const hips = this.place();
    this.ring.isShown = isSelected && this.group.visible;
    this.ring.at(hips.x - this.group.position.x, hips.z - this.group.position.z);
    this.ring.update(seconds, now / 1000);
    this.target.update(seconds, now / 1000);
    this.prints.update(now / 1000);
  }

  /** Return where the pelvis is in the world. */
  place(): Vector3 {
    return this.figure.joint("pelvis") ?? this.group.position.clone();
  }

  /** Walk to a point of the stage. */
  async goto(point: Vector3): Promise<void> {
    const [x, z] = [point.x - this.group.position.x, point.z - this.group.position.z];
    this.target.at(x, z);
    this.target.isShown = true;
    try {
      const { number } = await this.remote.goto(x / this.figure.scale, z / this.figure.scale);
      this.say(number, "going there");
    } catch (error) {
      this.target.isShown = false;
      throw error;
    }
  }

  /** Remember the words of a verb, to be shown from the first frame that obeys it. */
  say(number: number, words: string): void {
    this.said.set(number, words);
    if (number === this.obeyed) this.obeys(number);
    this.onchange();
  }

  /** Put words into the queue that is shown. */
  enqueue(text: string): { number: number; text: string } {
    const entry = { number: -1, text };
    this.queue.push(entry);
    this.onchange();
    return entry;
  }

  /** Take words out of the queue that is shown. */
  dequeue(entry: { number: number; text: string }): void {
    this.queue = this.queue.filter((other) => other !== entry);
    this.onchange();
  }

  /** Forget what waits: the server did so, too. */
  clearQueue(): void {
    this.queue = [];
    this.target.isShown = false;
    this.onchange();
  }

  /** Wear an avatar, or the mannequin again. */
  wear(figure: Figure | null): void {
    this.group.remove(this.figure.object);
    this.figure.dispose();
    this.figure = figure ?? new Body(this.mannequin, this.duo);
    this.group.add(this.figure.object);
    const pose = this.remote.sample();
    if (pose) this.figure.apply(pose, 0);
  }

  /** Free what it holds. */
  dispose(): void {
    this.group.removeFromParent();
    for (const part of [this.figure, this.prints, this.ring, this.target]) part.dispose();
  }

  private obeys(number: number): void {
    this.obeyed = number;
    if (number > 0 && this.beginning && !this.said.has(number)) {
      this.said.set(number, this.beginning);
      this.beginning = "";
    }
    const words = this.said.get(number);
    if (words === undefined) return;
    for (const old of this.said.keys()) if (old < number - 64) this.said.delete(old);
    this.does(words);
  }

  private does(words: string): void {
    this.isIdle = words === "";
    this.doing = words;
    this.onchange();
  }

  private happened(event: StreamEvent): void {
    if (event.event === "ended" && !this.queue.length) this.does("");
    if (event.event === "arrived") this.target.isShown = false;
  }

  private startOver(): void {
    this.said.clear();
    [this.obeyed, this.queue, this.beginning] = [-1, [], this.remote.told || this.beginning || this.doing];
  }

  private walk(contacts: number, now: number): void {
    const began = contacts & ~this.touching;
    this.touching = contacts;
    for (const [side, [heel, toes, bits]] of Object.entries(FEET)) {
      if (!(began & bits)) continue;
      const [from, to] = [this.figure.joint(heel), this.figure.joint(toes)];
      if (!from || !to) continue;
      for (const point of [from, to]) point.x -= this.group.position.x;
      this.prints.step(side as "left" | "right", from, to, now);
    }
  }
}
