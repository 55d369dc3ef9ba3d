/** What stands over the stage: that something is under way, or why it did not work. */

import { $, h } from "../js/dom.js";
import { t } from "../js/messages.js";

const PATIENCE = 350; // milliseconds before the page says that it is working

export class Progress {
  /** Says what is under way; nothing if the text is empty. `now` says it at once, `cancel` offers to stop it. */
  busy(text, { now = false, cancel = false } = {}) {
    clearTimeout(this.timer);
    $("stage").setAttribute("aria-busy", String(Boolean(text)));
    $("cancel").hidden = !cancel;
    if (text) $("busy-text").textContent = text;
    if (!text || now) $("busy").hidden = !text;
    else if ($("busy").hidden) this.timer = setTimeout(() => ($("busy").hidden = false), PATIENCE);
  }

  /** Shows an error of the API, and a button that tries again; not for what was deleted elsewhere. */
  failed(error, again) {
    if (!("status" in error)) console.error(error);
    this.busy("");
    this.trouble({ title: t("picture.failed"), message: "status" in error ? error.message : t("status.500"), detail: error.detail, again: error.status === 404 ? null : again });
  }

  /** Shows {title, message, detail, again}, or nothing. */
  trouble(what) {
    $("fault").hidden = !what;
    if (!what) return;
    const { title, message, detail, again } = what;
    $("fault").replaceChildren(...[title ? h("strong", {}, title) : null, h("p", {}, message), detail ? h("p", { class: "detail", lang: "en" }, detail) : null, again ? h("button", { type: "button", onclick: again }, t("retry")) : null].filter(Boolean));
  }

  clear() {
    this.busy("");
    this.trouble(null);
  }
}
