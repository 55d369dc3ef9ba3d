/** The dialog that asks for the operator token. */

import { $ } from "./dom.js";

/** Returns the token that the visitor enters, or "" if there is none. */
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
      // Remove what is pasted along with it and is not allowed in a header, such as a line end or a no-break space.
      end($("ask-token").value.replace(/[^\x21-\x7e ]/g, "").trim());
    };
    $("ask-no").onclick = () => end("");
    dialog.oncancel = () => end("");
  });
}
