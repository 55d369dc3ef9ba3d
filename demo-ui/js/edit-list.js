/** An ordered list of edits: each can be opened to change its parameters, moved, and removed. */

import { h, icon } from "./dom.js";
import { t } from "./messages.js";

let count = 0;

/** One edit of the list, with its parameters below it while it is open. */
class Entry {
  constructor(list, title, at, last) {
    Object.assign(this, { list, at, forms: null });
    const id = `edit-${(count += 1)}`;
    const parts = [h("strong", {}, title), (this.code = h("code", {}))];
    this.body = h("div", { class: "card-body", id, role: "group", "aria-label": title, hidden: true });
    this.opener = list.canOpen(at)
      ? h("button", { type: "button", class: "what", "aria-expanded": "false", "aria-controls": id, onclick: () => list.open(this.isOpen ? -1 : at) }, icon("chevron"), parts)
      : h("span", { class: "what" }, parts);
    const move = (name, text, to) => h("button", { type: "button", class: `icon ${name}`, "aria-label": text, title: text, disabled: to < 0 || to > last, onclick: () => list.move(at, to, name) }, icon("back"));
    this.element = h("li", { onkeydown: (event) => this.key(event) }, this.opener,
      move("up", t("steps.up", { name: title }), at - 1), move("down", t("steps.down", { name: title }), at + 1),
      h("button", { type: "button", class: "icon", "aria-label": t("panel.remove", { name: title }), title: t("remove"), onclick: () => list.remove(at) }, icon("close")), this.body);
  }

  get isOpen() {
    return !this.body.hidden;
  }

  open(isOpen) {
    if (isOpen && !this.forms) {
      this.forms = this.list.formsOf(this.at);
      this.body.append(...this.forms.flatMap(({ elements }) => elements), h("button", { type: "button", class: "quiet", onclick: () => this.close() }, t("pick.done")));
    }
    if (this.isOpen === isOpen) return;
    this.body.hidden = !isOpen;
    this.opener.setAttribute("aria-expanded", String(isOpen));
  }

  close() {
    this.list.open(-1);
    this.opener.focus();
  }

  key(event) {
    if (event.key !== "Escape" || !this.isOpen) return;
    event.stopPropagation(); // it would cancel what the page is doing
    this.close();
  }

  show(text, isWrong) {
    this.code.textContent = this.opener.title = text;
    this.element.classList.toggle("bad", isWrong);
    if (this.isOpen) for (const form of this.forms) form.show();
  }
}

export class EditList {
  /**
   * `element` is the list. `titleOf(item, at)` and `describe(item)` tell an edit in words, `formsOf(at)` returns its
   * controls, `canOpen(at)` whether it has any, `put(items)` takes the changed list, and `rest` gets the focus when no
   * list is left.
   */
  constructor(element, { titleOf, describe, formsOf, put, rest, canOpen = () => true }) {
    Object.assign(this, { element, titleOf, describe, formsOf, put, rest, canOpen });
    this.items = [];
    this.entries = [];
    this.opened = -1;
    this.shape = "";
  }

  show(items, wrong = -1) {
    this.items = items;
    const titles = items.map((item, at) => this.titleOf(item, at));
    const shape = JSON.stringify(titles);
    if (shape !== this.shape) { // else a control that is in use would lose the focus
      if (items.length <= this.opened) this.opened = -1;
      this.shape = shape;
      this.entries = titles.map((title, at) => new Entry(this, title, at, items.length - 1));
      this.element.replaceChildren(...this.entries.map(({ element }) => element));
    }
    this.entries.forEach((entry, at) => {
      entry.open(at === this.opened);
      entry.show(this.describe(items[at]), at === wrong);
    });
  }

  /** Opens an edit and closes the others; -1 closes all. */
  open(at) {
    this.opened = at;
    this.entries.forEach((entry, each) => entry.open(each === at));
    if (at >= 0) for (const form of this.entries[at].forms) form.show();
  }

  move(from, to, name) {
    const { opened } = this;
    this.opened = opened === from ? to : opened === to ? from : opened;
    this.put(this.items.toSpliced(from, 1).toSpliced(to, 0, this.items[from]));
    const { element } = this.entries[to];
    (element.querySelector(`:scope > .${name}:not([disabled])`) ?? element.querySelector(":scope > .icon:not([disabled])")).focus();
  }

  remove(at) {
    this.opened = this.opened === at ? -1 : this.opened > at ? this.opened - 1 : this.opened;
    this.put(this.items.toSpliced(at, 1));
    (this.entries[Math.min(at, this.entries.length - 1)]?.element.querySelector("button") ?? this.rest).focus();
  }

  /** Opens an edit, marks the field that an error names in one of its forms, and returns the field. */
  mark(at, name, error, { form = 0, element = 0 } = {}) {
    if (!this.entries[at]?.element.isConnected || !this.canOpen(at)) return null;
    this.open(at);
    return this.entries[at].forms[form].mark(name, error, element);
  }

  clear() {
    for (const { forms } of this.entries) for (const form of forms ?? []) form.clear();
  }
}
