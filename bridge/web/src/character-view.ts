/** One character on the page: its figure, footprints and markers in the 3D scene, and its state for the controls. */

import { Group, Object3D, Vector3 } from "three";
import type { Answer, Pose, RemoteCharacter, StreamEvent } from "./client/client.js";
import type { ColourPair } from "./figures/colours.js";
import type { FloorPoint } from "./driving/floor-path.js";
import { PathLine } from "./driving/path-line.js";
import type { Figure } from "./figures/figure.js";
import { Mannequin } from "./figures/mannequin.js";
import { Footprints } from "./scene/footprints.js";
import { RingMarker } from "./scene/ring-marker.js";
import { Keyframes } from "./keyframes.js";
import { Timeline } from "./timeline.js";
import { showError, toast } from "./ui/toast.js";

/** Distance between neighbours, metres. On the server every character starts at the origin of a world of its own. */
const SPACING = 1.5;
/** Joints of each foot, and its contact bits in a frame. */
const FEET = { left: ["left_ankle", "left_foot", 0b0011], right: ["right_ankle", "right_foot", 0b1100] } as const;
/** Milliseconds that the first answer may take: a busy server writes the gaits first. */
const FIRST_STEER = 60_000;
/** What a character does that is steered. */
const DRIVEN = "driven";
/** Verbs whose text is remembered: those whose first frame may still come. */
const REMEMBERED_VERBS = 64;

/** A character of the server as the page shows it. */
export class CharacterView {
  readonly group = new Group();
  figure: Figure;
  /** Text of the prompt or verb that the shown frame obeys; empty while the character idles. */
  activity = "";
  /** What it is to do next. */
  readonly timeline: Timeline;
  /** Poses that it is to come to. */
  readonly keyframes: Keyframes;
  /** Requests without an answer, apart from queued prompts. */
  pendingRequests = 0;
  strength: number | null = null;
  style: string | null = null;
  /** Called after any of the state above has changed. */
  onChange = () => {};
  private readonly footprints: Footprints;
  private readonly selectionRing: RingMarker;
  private readonly targetRing: RingMarker;
  private readonly pathLine: PathLine;
  /** Texts of verbs, by the verb's number. */
  private readonly texts = new Map<number, string>();
  private obeyedVerb = -1;
  /** What is shown from a frame on, where it is led somewhere; null once that is shown. */
  private travel: { seq: number; text: string } | null = null;
  /** Whether a frame that obeys the opening prompt was shown. */
  private hasBegun = false;
  private contacts = 0;
  /** Shows the character on an avatar; null while the figure takes the frames of `remote` itself. */
  private shown: RemoteCharacter | null = null;

  /**
   * @param slot index among the characters, which decides where it stands.
   * @param mannequin the model that its figure is a copy of.
   * @param openingPrompt prompt that it was opened with; the number of that verb is known from its frames only.
   * @param seed seed of its sampling.
   */
  constructor(
    readonly slot: number,
    readonly remote: RemoteCharacter,
    readonly colours: ColourPair,
    private readonly mannequin: Object3D,
    public openingPrompt: string,
    public seed: number | null = null,
    fps = 30,
  ) {
    this.timeline = new Timeline(remote, fps, {
      onStart: (text, { number, note }) => {
        this.setVerbText(number, text);
        if (note) toast(note, "note");
      },
      onEnd: ({ number }) => this.setVerbText(number, ""),
      onChange: () => this.onChange(),
      onError: showError,
    });
    this.keyframes = new Keyframes(remote, fps, {
      onChange: () => this.onChange(),
      onAnswer: ({ note }) => note && toast(note, "note"),
      onError: showError,
    });
    this.figure = new Mannequin(mannequin, colours);
    this.footprints = new Footprints(colours);
    this.selectionRing = new RingMarker(colours.left, 1.25, false);
    this.targetRing = new RingMarker(colours.right, 0.8, true);
    this.pathLine = new PathLine(colours.right);
    this.group.position.x = SPACING * (slot % 2 ? -Math.ceil(slot / 2) : slot / 2);
    this.group.add(this.figure.object, this.footprints.mesh, this.selectionRing.mesh, this.targetRing.mesh, this.pathLine.line);
    this.group.visible = false; // until its first frame
    remote.on("event", (event) => this.handleEvent(event));
    remote.on("reborn", () => this.handleReopened());
  }

  /** Whether it idles: it obeys no prompt. */
  get isIdle(): boolean {
    return this.activity === "";
  }

  /** Set the pose of the time `now`, milliseconds of the page's clock, `seconds` after the last one. */
  update(seconds: number, now: number, isSelected: boolean): void {
    const pose = this.sample(now);
    if (pose) {
      this.figure.apply(pose, seconds);
      this.group.visible = true;
      this.group.updateMatrixWorld(true);
      this.updateFootprints(pose.contacts, now / 1000);
      if (pose.obeys !== this.obeyedVerb) this.showVerb(pose.obeys);
      if (this.travel && pose.seq >= this.travel.seq) {
        this.setActivity(this.travel.text);
        this.travel = null;
      }
    }
    const hips = this.position();
    this.selectionRing.isShown = isSelected && this.group.visible;
    this.selectionRing.moveTo(hips.x - this.group.position.x, hips.z - this.group.position.z);
    this.selectionRing.update(seconds, now / 1000);
    this.targetRing.update(seconds, now / 1000);
    this.footprints.update(now / 1000);
  }

  /** Return the pelvis's position in the world. */
  position(): Vector3 {
    return this.figure.joint("pelvis") ?? this.group.position.clone();
  }

  /** Put the pose of this moment onto its next seconds; return whether there is room for it. */
  keepPose(): boolean {
    const pose = this.remote.sample(); // of the server's skeleton, whatever the figure is
    if (!pose) return true;
    const joints = Array.from({ length: pose.rotations.length / 4 }, (_, joint) => [...pose.rotations.subarray(4 * joint, 4 * joint + 4)]);
    return this.keyframes.add(joints);
  }

  /** Walk to a point of the floor, in the world. */
  async goto(point: Vector3): Promise<void> {
    const [x, z] = [point.x - this.group.position.x, point.z - this.group.position.z];
    this.targetRing.moveTo(x, z);
    this.pathLine.show([]);
    this.showsTarget = true;
    try {
      this.setTravelText(await this.remote.goto(x / this.figure.scale, z / this.figure.scale), "going there");
    } catch (error) {
      this.showsTarget = false;
      throw error;
    }
  }

  /** Walk along a way over the floor, in the world. */
  async follow(points: FloorPoint[]): Promise<void> {
    const own = points.map(([x, z]): FloorPoint => [x - this.group.position.x, z - this.group.position.z]);
    const [x, z] = own.at(-1)!;
    this.targetRing.moveTo(x, z);
    this.showsTarget = true;
    this.pathLine.show(own);
    try {
      const scale = this.figure.scale;
      this.setTravelText(await this.remote.path(own.map(([a, b]): FloorPoint => [a / scale, b / scale])), "following the way");
    } catch (error) {
      this.showsTarget = false;
      throw error;
    }
  }

  /** Move with a velocity, m/s. */
  async steer(velocity: [number, number]): Promise<void> {
    this.showsTarget = false;
    const { number } = await this.remote.steer(velocity, { timeout: FIRST_STEER });
    if (this.activity !== DRIVEN) this.setVerbText(number, DRIVEN);
  }

  /** Show the way that is being drawn, in the world. */
  sketch(points: readonly FloorPoint[]): void {
    this.pathLine.show(points.map(([x, z]): FloorPoint => [x - this.group.position.x, z - this.group.position.z]));
  }

  /** Return the target in the world, or null where none is shown. */
  get target(): Vector3 | null {
    return this.showsTarget ? this.targetRing.mesh.position.clone().add(this.group.position) : null;
  }

  /** Set the text of a verb, which is shown from the first frame that obeys it; an empty one is for idling. */
  setVerbText(number: number, text: string): void {
    this.texts.set(number, text);
    if (number === this.obeyedVerb) this.showVerb(number);
    this.onChange();
  }

  /** Set the text of a verb that leads a character somewhere: one that walks already goes on obeying its prompt. */
  private setTravelText({ number, seq }: Answer, text: string): void {
    this.setVerbText(number, text);
    this.travel = { seq, text };
  }

  /** Whether the marker of the point that it walks to is shown. */
  get showsTarget(): boolean {
    return this.targetRing.isShown;
  }

  set showsTarget(isShown: boolean) {
    this.targetRing.isShown = isShown;
    if (!isShown) this.pathLine.show([]);
  }

  /**
   * Use another figure; null is the mannequin.
   *
   * @param shown the same character, watched on the figure's avatar; null where the figure takes the plain frames.
   */
  setFigure(figure: Figure | null, shown: RemoteCharacter | null = null): void {
    this.shown?.close().catch(() => {}); // the connection may be gone, and it with that
    this.shown = shown;
    shown?.on("closed", () => this.shown === shown && this.setFigure(null)); // a server that started anew
    this.group.remove(this.figure.object);
    this.figure.dispose();
    this.figure = figure ?? new Mannequin(this.mannequin, this.colours);
    this.group.add(this.figure.object);
    const pose = this.sample();
    if (pose) this.figure.apply(pose, 0);
    this.onChange();
  }

  /** Return the pose of a moment on the skeleton of the figure, or null before the first. */
  sample(now: number = performance.now()): Pose | null {
    return (this.shown ?? this.remote).sample(now);
  }

  /** Remove it from the scene and free its GPU resources. */
  dispose(): void {
    this.shown?.close().catch(() => {});
    this.shown = null;
    this.group.removeFromParent();
    for (const part of [this.figure, this.footprints, this.selectionRing, this.targetRing, this.pathLine]) part.dispose();
  }

  private showVerb(number: number): void {
    this.obeyedVerb = number;
    if (number > 0 && this.openingPrompt && !this.hasBegun && !this.texts.has(number)) {
      this.texts.set(number, this.openingPrompt);
      this.hasBegun = true;
    }
    const text = this.texts.get(number);
    if (text === undefined) return;
    for (const old of this.texts.keys()) if (old < number - REMEMBERED_VERBS) this.texts.delete(old);
    this.setActivity(text);
  }

  private setActivity(text: string): void {
    this.activity = text;
    this.onChange();
  }

  private handleEvent(event: StreamEvent): void {
    if (event.event === "arrived") this.showsTarget = false;
    if ((event.event === "ended" || event.event === "arrived") && !this.timeline.queue.length) this.setActivity("");
  }

  /** The server opened it anew with its last prompt: numbers of verbs restart, and the queue is lost. */
  private handleReopened(): void {
    this.texts.clear();
    this.travel = null;
    this.obeyedVerb = -1;
    this.hasBegun = false;
    this.openingPrompt = this.remote.lastPrompt || this.openingPrompt || this.activity;
    this.timeline.clear();
    this.keyframes.clear();
  }

  /** Add a footprint where a foot has touched the floor since the last frame. */
  private updateFootprints(contacts: number, now: number): void {
    const began = contacts & ~this.contacts;
    this.contacts = contacts;
    for (const [side, [heelJoint, toesJoint, bits]] of Object.entries(FEET)) {
      if (!(began & bits)) continue;
      const [heel, toes] = [this.figure.joint(heelJoint), this.figure.joint(toesJoint)];
      if (!heel || !toes) continue;
      for (const point of [heel, toes]) point.x -= this.group.position.x;
      this.footprints.add(side as "left" | "right", heel, toes, now);
    }
  }
}
