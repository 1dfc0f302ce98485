/** The arrow keys, W A S D and a gamepad as one stick: what they push, and which verbs that makes. */

/** Speed of a walk and of a run, m/s: of keys alone and with Shift, of a stick and with its right trigger. */
export const WALK = 1.3;
export const RUN = 3.2;
/** A stick that is pushed less is at rest. */
const DEAD_ZONE = 0.18;
/** Least time between two messages, milliseconds, and how much a push changes that is worth one, m/s. */
const INTERVAL = 60;
const LEAST_CHANGE = 0.04;
/** Keys, and where they push: to the right and ahead. */
const KEYS: Record<string, [right: number, ahead: number]> = {
  ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0],
  w: [0, 1], s: [0, -1], a: [-1, 0], d: [1, 0],
};

/** A push of the stick: to the right and ahead, m/s. */
export type Push = [right: number, ahead: number];

/** What a gamepad says, as `navigator.getGamepads` has it. */
export interface Pad {
  axes: readonly number[];
  buttons: readonly { pressed: boolean; value: number }[];
}

/** Return the push of keys that are held; `isRunning` with Shift. */
export function pushOfKeys(held: ReadonlySet<string>, isRunning: boolean): Push {
  let [right, ahead] = [0, 0];
  for (const key of held) {
    const [x, y] = KEYS[key] ?? [0, 0];
    [right, ahead] = [right + x, ahead + y];
  }
  const length = Math.hypot(right, ahead);
  const speed = length ? (isRunning ? RUN : WALK) / length : 0;
  return [right * speed, ahead * speed];
}

/** Return the push of a gamepad's left stick; the right trigger makes it run. */
export function pushOfPad(pad: Pad): Push {
  const [x, y] = [pad.axes[0] ?? 0, -(pad.axes[1] ?? 0)];
  const length = Math.min(1, Math.hypot(x, y));
  if (length < DEAD_ZONE) return [0, 0];
  const trigger = pad.buttons[7]?.value ?? 0;
  const speed = ((length - DEAD_ZONE) / (1 - DEAD_ZONE)) * (WALK + (RUN - WALK) * trigger);
  return [(x / length) * speed || 0, (y / length) * speed || 0];
}

/** Return a push as a velocity over the floor, x and z, seen along a direction of the floor. */
export function velocityOf([right, ahead]: Push, sight: { x: number; z: number }): [number, number] {
  const length = Math.hypot(sight.x, sight.z) || 1;
  const [x, z] = [sight.x / length, sight.z / length];
  return [ahead * x - right * z, ahead * z + right * x];
}

/** Sends a stick's velocity as it changes, and once that it is at rest. */
export class Stick {
  readonly held = new Set<string>();
  isRunning = false;
  private sent: [number, number] = [0, 0];
  private sentAt = -Infinity;

  /** @param steer sends a velocity; called at most every INTERVAL milliseconds. */
  constructor(private readonly steer: (velocity: [number, number]) => Promise<void>) {}

  /** Whether a key is one of the stick's. */
  static hasKey(key: string): boolean {
    return key in KEYS;
  }

  /** Whether it is pushed, or was when it was sent last. */
  get isPushed(): boolean {
    return this.held.size > 0 || Math.hypot(...this.sent) > 0;
  }

  /** Forget what was pushed, without a message: somebody else is driven from now on. */
  reset(): void {
    this.held.clear();
    this.sent = [0, 0];
  }

  /** Send what is pushed at a time, milliseconds, seen along a direction of the floor, if it has changed. */
  update(now: number, sight: { x: number; z: number }, pads: readonly (Pad | null)[]): void {
    let push = pushOfKeys(this.held, this.isRunning);
    for (const pad of pads) if (pad && Math.hypot(...push) === 0) push = pushOfPad(pad);
    const velocity = velocityOf(push, sight);
    const isAtRest = Math.hypot(...velocity) === 0;
    const change = Math.hypot(velocity[0] - this.sent[0], velocity[1] - this.sent[1]);
    const isStopping = isAtRest && Math.hypot(...this.sent) > 0;
    if (!isStopping && (change < LEAST_CHANGE || now - this.sentAt < INTERVAL)) return;
    this.sent = isAtRest ? [0, 0] : velocity;
    this.sentAt = now;
    void this.steer(this.sent);
  }
}
