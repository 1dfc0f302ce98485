/** The history of typed prompts, which the arrow keys go through as in a shell. */

const KEY = "motiongen.history";
const CAPACITY = 100;

/** Sent prompts, oldest first, stored between visits. */
export class PromptHistory {
  private readonly lines: string[];
  private at: number;
  private draft = "";

  /** @param storage the browser's local storage; null where it is forbidden. */
  constructor(private readonly storage: Pick<Storage, "getItem" | "setItem"> | null) {
    this.lines = this.read();
    this.at = this.lines.length;
  }

  /** Append a prompt, and go to the end. */
  add(line: string): void {
    const old = this.lines.indexOf(line);
    if (old >= 0) this.lines.splice(old, 1);
    this.lines.push(line);
    if (this.lines.length > CAPACITY) this.lines.shift();
    this.at = this.lines.length;
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.lines));
    } catch {
      // Storage is full or forbidden: the history lasts as long as the page.
    }
  }

  /** Return the prompt before or after the one that is shown; the unfinished one is at the end. */
  move(by: -1 | 1, shown: string): string {
    if (this.at === this.lines.length) this.draft = shown;
    this.at = Math.min(this.lines.length, Math.max(0, this.at + by));
    return this.lines[this.at] ?? this.draft;
  }

  private read(): string[] {
    try {
      const kept: unknown = JSON.parse(this.storage?.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept.filter((line) => typeof line === "string").slice(-CAPACITY) : [];
    } catch {
      return [];
    }
  }
}
