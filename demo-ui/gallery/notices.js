/** Short notices at the foot of the page, with a button at most, and what a screen reader says. */

import { $, h } from "../js/dom.js";
import { t } from "../js/messages.js";

const SHOWN_FOR = 6000; // milliseconds

/** Says a text to screen readers only. */
export function say(text) {
  $("announcement").textContent = "";
  requestAnimationFrame(() => ($("announcement").textContent = text));
}

/**
 * Shows a notice and returns a function that removes it. `act` is the label of a button and what it does, `detail` is the
 * service's own message.
 */
export function notify(text, { act, run, seconds = SHOWN_FOR / 1000, bad = false, detail = "" } = {}) {
  const close = () => {
    clearTimeout(timer);
    element.remove();
  };
  const clicked = () => {
    close();
    run();
  };
  const button = act ? h("button", { type: "button", class: "quiet", onclick: clicked }, act) : null;
  const element = h("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : null }, h("span", {}, text, detail && h("small", { class: "detail", lang: "en" }, detail)), button);
  const timer = setTimeout(close, seconds * 1000);
  $("toasts").append(element);
  if (!bad) say(text);
  return close;
}

/** Shows an error that nothing else on the page shows. */
export function complain(error) {
  if (!("status" in error)) console.error(error);
  notify("status" in error ? error.message : t("status.500"), { bad: true, seconds: 10, detail: error.detail });
}

/** Asks before something that cannot be undone. */
export function ask(title, text, yes) {
  const dialog = $("sure-dialog");
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  $("sure-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => (dialog.onclose = () => resolve(dialog.returnValue === "yes")));
}

/** Copies a text, in the old way where the browser does not allow the new one (plain http). */
export async function copy(text, field) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    field.select();
    document.execCommand("copy");
  }
}
