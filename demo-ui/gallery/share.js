/** The dialog with a link to one picture that expires, and the one that brings the pictures to another device. */

import { $, h, icon } from "../js/dom.js";
import { minute, number, t } from "../js/messages.js";
import { complain, copy } from "./notices.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const TABS = [["url", "share.link"], ["img", "<img>"], ["picture", "<picture>"]];

export class ShareDialog {
  constructor({ api, session }) {
    this.api = api;
    this.texts = null;
    this.tab = "url";
    const lives = [[HOUR, t("share.hour")], [DAY, t("share.day")], [7 * DAY, t("share.days", { count: 7 })]];
    const longest = [session.expireDays * DAY, t("share.days", { count: session.expireDays })];
    const choices = [...lives.filter(([seconds]) => seconds < longest[0]), longest];
    $("share-life").replaceChildren(...choices.map(([value, text]) => h("option", { value, selected: value === DAY }, text)));
    $("share-life").addEventListener("change", () => this.load());
    $("share-tabs").replaceChildren(...TABS.map(([name, text]) => this.button(name, text.includes(".") ? t(text) : text)));
    $("share-tabs").addEventListener("keydown", (event) => this.key(event));
    $("share-copy").addEventListener("click", () => this.copy());
  }

  button(name, text) {
    return h("button", { type: "button", role: "tab", "data-tab": name, "aria-controls": "share-text", "aria-selected": String(name === this.tab), tabindex: name === this.tab ? 0 : -1, onclick: () => this.choose(name) }, text);
  }

  key({ key }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const at = TABS.findIndex(([name]) => name === this.tab);
    this.choose(TABS[(at + step + TABS.length) % TABS.length][0]);
    $("share-tabs").querySelector(`[data-tab="${this.tab}"]`).focus();
  }

  choose(name) {
    this.tab = name;
    for (const button of $("share-tabs").children) {
      button.setAttribute("aria-selected", String(button.dataset.tab === name));
      button.tabIndex = button.dataset.tab === name ? 0 : -1;
    }
    this.draw();
  }

  open(picture, result) {
    Object.assign(this, { picture, result });
    $("share-dialog").showModal();
    this.load();
  }

  async load() {
    this.texts = null;
    this.draw();
    $("share-note").textContent = t("share.working");
    const { picture, result } = this;
    const seconds = Number($("share-life").value);
    try {
      const shared = await this.api.share(picture.id, { seconds, ...(result ? { result: result.id } : {}) });
      if (this.picture !== picture || this.result !== result || Number($("share-life").value) !== seconds) return;
      // The elements are for pages of other hosts.
      const absolute = (html) => html.replaceAll(/(src|srcset)="\//g, `$1="${location.origin}/`);
      this.texts = { url: new URL(shared.url, location.href).href, img: absolute(shared.html.img), picture: absolute(shared.html.picture) };
      $("share-note").textContent = t("share.until", { moment: minute(shared.expires) });
    } catch (error) {
      if (!("status" in error)) throw error;
      $("share-note").textContent = error.message;
    }
    this.draw();
  }

  draw() {
    $("share-text").value = this.texts?.[this.tab] ?? "";
    $("share-copy").disabled = !this.texts;
  }

  async copy() {
    await copy($("share-text").value, $("share-text"));
    $("share-copy").replaceChildren(icon("check"), h("span", {}, t("share.copied")));
    setTimeout(() => $("share-copy").replaceChildren(icon("copy"), h("span", {}, t("share.copy"))), 1500);
  }
}

/** Shows a code that brings the visitor's pictures to another device, once and for some minutes. */
export async function showDevice(api) {
  let device;
  try {
    device = await api.device();
  } catch (error) {
    return complain(error);
  }
  const url = new URL(device.url, location.href).href;
  const image = URL.createObjectURL(new Blob([device.qr], { type: "image/svg+xml" }));
  $("device-qr").src = image;
  $("device-url").href = url;
  $("device-url").textContent = url;
  const tick = () => {
    const seconds = Math.max(0, Math.round((new Date(device.expires) - Date.now()) / 1000));
    $("device-note").textContent = seconds ? t("devices.until", { minutes: number(Math.ceil(seconds / 60)) }) : t("devices.over");
    $("device-qr").hidden = $("device-url").hidden = !seconds;
  };
  tick();
  const clock = setInterval(tick, 5000);
  $("device-dialog").onclose = () => {
    clearInterval(clock);
    URL.revokeObjectURL(image);
    $("device-url").removeAttribute("href");
    $("device-url").textContent = "";
  };
  $("device-dialog").showModal();
}
