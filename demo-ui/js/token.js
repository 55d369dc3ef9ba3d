/** The dialog that asks for the operator's token. */

import { $ } from "./dom.js";

/** The token from the operator's own hands; "" where he has none. */
export function askToken(why) {
  const dialog = $("ask");
  $("ask-why").textContent = why;
  $("ask-token").value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const end = (value) => {
      $("ask-form").onsubmit = $("ask-no").onclick = dialog.oncancel = null;
      dialog.close();
      resolve(value);
    };
    $("ask-form").onsubmit = (event) => {
      event.preventDefault();
      // What is pasted with it (a line's end, a no-break space) no header can carry.
      end($("ask-token").value.replace(/[^\x21-\x7e ]/g, "").trim());
    };
    $("ask-no").onclick = () => end("");
    dialog.oncancel = () => end("");
  });
}
