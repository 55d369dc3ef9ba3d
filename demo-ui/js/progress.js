/** What the stage says while a request runs, and when it fails. */

import { label } from "./catalogue.js";
import { $, h, prose } from "./dom.js";
import { outdate, showOriginal, showResult } from "./figures.js";
import { t } from "./messages.js";
import { title } from "./service.js";

const NO_PICTURE = [0, 401, 404]; // for these there is no original either
const SHOWN_AFTER = 400; // milliseconds

/** Whether the same request may succeed later. */
const isPassing = ({ status }) => !status || status === 429 || status >= 500 && status !== 501;

export class Progress {
  constructor(app) {
    this.app = app;
  }

  /** `previewed`: a preview is on the stage, so it is not dimmed. */
  busy(is, what = t("work.rendering"), { previewed = false } = {}) {
    clearTimeout(this.timer);
    clearInterval(this.clock);
    $("stage").setAttribute("aria-busy", String(is));
    $("stage").classList.toggle("previewed", previewed);
    $("busy").hidden = true;
    if (!is) return;
    const started = performance.now();
    let asked = 0; // seconds in which the service waits for the visitor's token
    this.timer = setTimeout(() => {
      $("busy").hidden = false;
      const tick = () => {
        if ($("ask").open) asked += 1;
        $("busy-text").textContent = `${what}… ${Math.max(0, Math.round((performance.now() - started) / 1000) - asked)} s`;
      };
      tick();
      this.clock = setInterval(tick, 1000);
    }, SHOWN_AFTER);
  }

  cancel() {
    this.app.rendering.run.abort();
    this.busy(false);
    this.idle(t("work.cancelled"), this.retry());
    outdate(true);
  }

  retry() {
    return h("button", { type: "button", class: "retry", onclick: () => this.app.refresh() }, t("retry"));
  }

  idle(text, button = null) {
    this.busy(false);
    $("announcement").textContent = text;
    $("fault").replaceChildren(...[h("p", {}, text), button].filter(Boolean));
    $("fault").classList.add("calm");
    $("fault").hidden = false;
  }

  fail(error) {
    const { controls, language, imageRequest, rendering, comparison, stage } = this.app;
    this.busy(false);
    if (!("status" in error)) console.error(error);
    const marked = controls.mark(language.places(error.message, imageRequest), error);
    const step = this.app.steps.mark(error);
    const reveal = () => {
      const field = step ? step.reveal() : marked;
      field?.element.scrollIntoView({ block: "center" });
      field?.focus();
    };
    const go = (step || marked) && h("button", { type: "button", onclick: reveal }, t("work.go-to", { name: step?.title ?? label(marked.parameter.name) }));
    const about = go && error.status === 400 ? t("work.needs-change") : title(error);
    const message = error.message.charAt(0).toUpperCase() + error.message.slice(1);
    $("fault").replaceChildren(...[h("strong", {}, about), h("p", error.isOfService ? { lang: "en" } : {}, prose(message)), go, isPassing(error) && this.retry()].filter(Boolean));
    $("announcement").textContent = ""; // the alert is read by itself
    $("fault").classList.remove("calm");
    $("fault").hidden = false;
    $("stage").classList.add("stale");
    showResult(null);
    controls.show(imageRequest);
    if (rendering.result) return;
    showOriginal();
    if (NO_PICTURE.includes(error.status)) stage.show("after", null);
    else comparison.originalAlone(rendering.originalRun.signal);
  }
}
