/** What the service can do: `/_api/capabilities`. A service that does not tell is taken to do everything. */

import { t } from "./messages.js";

export class Capabilities {
  constructor() {
    this.unavailable = [];
    this.publicFeatures = null;
    this.limits = {};
  }

  load() {
    this.ready = this.fetched();
    return this.ready;
  }

  async fetched() {
    const answer = await fetch("/_api/capabilities").catch(() => null);
    if (!answer?.ok) return;
    const told = await answer.json();
    this.unavailable = told.unavailable;
    this.publicFeatures = told.signatures === "required" ? null : told.publicFeatures;
    this.limits = told.limits;
  }

  /** Returns why a feature cannot be used, or a value of its parameter, or "". */
  reason(feature, parameter = "", value = "") {
    const found = this.unavailable.find((each) => each.feature === feature && (each.parameter ?? "") === parameter && (each.value ?? "") === String(value));
    return found ? t("limits.unavailable", { reason: found.reason }) : "";
  }

  /** Returns why a feature of the catalogue cannot be used, or "". */
  reasonOf({ name, expensive, billed }) {
    const isClosed = (expensive || billed) && this.publicFeatures && !this.publicFeatures.includes(name);
    return this.reason(name) || (isClosed ? t("limits.not-public", { name }) : "");
  }

  /** Returns why a request cannot be served, or "". */
  reasonOfRequest({ edits }, features) {
    for (const feature of features.filter(({ name }) => edits[name])) {
      const values = [edits[feature.name]].flat().flatMap(Object.entries).flatMap(([name, value]) => String(value).split(",").map((each) => [name, each]));
      const reason = [this.reasonOf(feature), ...values.map((each) => this.reason(feature.name, ...each))].find(Boolean);
      if (reason) return reason;
    }
    return "";
  }
}
