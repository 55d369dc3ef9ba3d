/** The edits before: undo and redo, with an entry for each edit once it has settled. */

import { $ } from "./dom.js";

const KEPT = 100;

export class History {
  /** `restore(edits)` shows earlier edits; they are what `record` was given. */
  constructor(restore) {
    this.restore = restore;
    this.entries = [];
    this.at = -1;
    $("undo").addEventListener("click", () => this.go(-1));
    $("redo").addEventListener("click", () => this.go(1));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const name = event.key.toLowerCase();
    const isTyping = event.target.matches('input[type="text"], input[type="search"], input[type="password"], input:not([type]), textarea');
    const step = name === "y" || (name === "z" && event.shiftKey) ? 1 : name === "z" ? -1 : 0;
    if (!step || isTyping || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.go(step);
  }

  /** Keeps the edits if they are not those of the last entry. */
  record({ edits, output, other }) {
    const entry = JSON.stringify({ edits, output, other });
    if (entry === this.entries[this.at]) return;
    this.entries = [...this.entries.slice(0, this.at + 1), entry].slice(-KEPT);
    this.at = this.entries.length - 1;
    this.show();
  }

  go(step) {
    if (!(this.at + step in this.entries)) return;
    this.at += step;
    this.show();
    this.restore(JSON.parse(this.entries[this.at]));
  }

  show() {
    $("undo").disabled = this.at < 1;
    $("redo").disabled = this.at + 1 >= this.entries.length;
  }
}
