/** The line on the floor that shows a way, in a character's colour. */

import { BufferGeometry, Float32BufferAttribute, Line, LineBasicMaterial } from "three";
import type { FloorPoint } from "./floor-path.js";

/** Height over the floor, metres. */
const HEIGHT = 0.012;

/** A line on the floor. */
export class PathLine {
  readonly line: Line<BufferGeometry, LineBasicMaterial>;

  /** @param colour CSS colour. */
  constructor(colour: string) {
    this.line = new Line(new BufferGeometry(), new LineBasicMaterial({ color: colour }));
    this.line.frustumCulled = false;
    this.line.visible = false;
  }

  /** Show a way; an empty one hides the line. */
  show(points: readonly FloorPoint[]): void {
    this.line.visible = points.length > 1;
    const places = points.flatMap(([x, z]) => [x, HEIGHT, z]);
    this.line.geometry.dispose();
    this.line.geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(places, 3));
  }

  /** Free its GPU resources. */
  dispose(): void {
    this.line.geometry.dispose();
    this.line.material.dispose();
  }
}
