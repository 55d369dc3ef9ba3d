/**
 * The controls of a feature that may be applied several times, such as `watermark`: those of one set of parameters, or
 * a list with the same controls in each of its elements. Its values are then a list as well.
 */

import { label } from "./catalogue.js";
import { h, icon } from "./dom.js";
import { EditList } from "./edit-list.js";
import { t } from "./messages.js";
import { Parameters, summary } from "./parameters.js";

const MOST = 16; // elements of a list, as the service has it

export class Repeated {
  /** Parameters as those of `Parameters`; `edit.before(at)` is what applies before an element. */
  constructor(feature, panel, edit) {
    Object.assign(this, { feature, panel, edit });
    this.single = new Parameters(feature, panel, this.element(0));
    this.alone = h("div", { class: "later" }, this.single.elements);
    this.rows = this.single.rows;
    const main = feature.parameters.find((each) => each.main)?.name;
    const ordered = h("ol", { class: "edits", "aria-label": label(feature.name), hidden: true });
    this.add = h("button", { type: "button", class: "wide", onclick: () => this.append() }, icon("plus"), t("list.add"));
    this.list = new EditList(ordered, {
      titleOf: (_, at) => `${label(feature.name)} ${at + 1}`, describe: (values) => summary(values, main),
      formsOf: (at) => [new Parameters(feature, panel, this.element(at))],
      put: (items) => this.put(items), rest: this.add,
    });
    this.elements = [this.alone, ordered, this.add];
  }

  get items() {
    return [this.edit.values ?? []].flat();
  }

  /** Returns where the values of an element are. */
  element(at) {
    const { edit } = this;
    const items = () => this.items;
    return {
      isStep: edit.isStep,
      get values() {
        return items()[at];
      },
      put: (values) => edit.put(items().length > 1 ? items().with(at, values) : values),
      before: () => edit.before(items().slice(0, at)),
    };
  }

  put(items) {
    this.edit.put(items.length > 1 ? items : items[0]);
    this.panel.changed();
  }

  /** Appends an element with the values of the example, at a position of its own. */
  append() {
    const { feature, panel, items } = this;
    const values = { ...panel.start(feature) };
    const where = feature.parameters.find(({ control }) => control === "position");
    const taken = items.map((each) => each[where?.name] ?? where?.default);
    const free = where?.choices.find((each) => !taken.includes(each));
    if (taken.includes(values[where?.name] ?? where?.default) && free) values[where.name] = free;
    this.list.opened = items.length;
    this.put([...items, values]);
    this.list.entries[items.length].opener.focus();
  }

  show() {
    const { items, list } = this;
    const isList = items.length > 1;
    this.alone.hidden = isList;
    list.element.hidden = !isList;
    this.add.hidden = !items.length || items.length >= MOST;
    if (!isList) list.opened = -1;
    list.show(isList ? items : []);
    if (!isList) this.single.show();
  }

  mark(name, error, at = 0) {
    return this.items.length > 1 ? this.list.mark(at, name, error) : this.single.mark(name, error);
  }

  clear() {
    this.single.clear();
    this.list.clear();
  }
}
