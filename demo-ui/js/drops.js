/** Handles files that are dropped on the page or pasted into it. */

import { $ } from "./dom.js";

/** Calls `take(files)` with the files of each drop and paste. */
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
    take([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => event.clipboardData?.files.length && take([...event.clipboardData.files]));
}
