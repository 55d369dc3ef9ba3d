/** Handles files that are dropped on the page or pasted into it. */

import { $ } from "./dom.js";

/** Calls `take(file)` for each file. */
export function watchDrops(take) {
  let depth = 0;
  const over = (change) => (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    $("dropping").hidden = !depth;
  };
  addEventListener("dragenter", over(1));
  addEventListener("dragleave", over(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    $("dropping").hidden = true;
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => event.clipboardData?.files[0] && take(event.clipboardData.files[0]));
}
