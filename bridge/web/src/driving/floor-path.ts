/** A way that is drawn on the floor: points as they are dragged, thinned to what a path needs. */

/** A point of the floor, x and z, metres. */
export type FloorPoint = [number, number];

/** Points nearer to the last one are left out, metres. */
const SPACING = 0.2;
/** Points of a path at most; PROTOCOL.md has 256. */
const MOST = 200;

/** Collects the points of a way. */
export class FloorPath {
  readonly points: FloorPoint[] = [];

  /** Length of the way so far, metres. */
  get length(): number {
    return this.points.slice(1).reduce((sum, point, n) => sum + distance(point, this.points[n]!), 0);
  }

  /** Append a point, unless it is near the last; return whether it was appended. */
  add(point: FloorPoint): boolean {
    const last = this.points.at(-1);
    if (last && distance(point, last) < SPACING) return false;
    this.points.push(point);
    if (this.points.length > MOST) this.points.splice(0, this.points.length, ...this.points.filter((_, n) => n % 2 === 0));
    return true;
  }
}

function distance(a: FloorPoint, b: FloorPoint): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
