/** What was typed before, through the arrow keys, as in a shell. */

const KEY = "motiongen.history";
const KEPT = 100;

/** Prompts that were said, oldest first, kept between visits. */
export class History {
  private readonly lines: string[];
  private at: number;
  private draft = "";

  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem"> | null) {
    this.lines = this.read();
    this.at = this.lines.length;
  }

  /** Remember a line, and go to the end. */
  add(line: string): void {
    const old = this.lines.indexOf(line);
    if (old >= 0) this.lines.splice(old, 1);
    this.lines.push(line);
    if (this.lines.length > KEPT) this.lines.shift();
    this.at = this.lines.length;
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.lines));
    } catch {
      // Storage is full or forbidden: the history lasts as long as the page.
    }
  }

  /** Return the line before or after the one that is shown; what was being typed is at the end. */
  move(by: -1 | 1, shown: string): string {
    if (this.at === this.lines.length) this.draft = shown;
    this.at = Math.min(this.lines.length, Math.max(0, this.at + by));
    return this.lines[this.at] ?? this.draft;
  }

  private read(): string[] {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept.filter((line) => typeof line === "string").slice(-KEPT) : [];
    } catch {
      return [];
    }
  }
}
