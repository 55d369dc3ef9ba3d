/** Deletions, which can be undone for ten seconds: only then they are sent, or when the page is left. */

import { complain, notify } from "./notices.js";
import { t } from "../js/messages.js";

const SECONDS = 10;

export class Trash {
  constructor(api, library) {
    this.api = api;
    this.library = library;
    this.waiting = new Set();
    addEventListener("pagehide", () => this.flush({ keepalive: true }));
  }

  /** Deletes pictures. */
  pictures(list) {
    const text = list.length === 1 ? t("delete.done-one", { name: list[0].name }) : t("delete.done", { count: list.length });
    for (const { id } of list) this.library.hide(id, true);
    this.add(text, {
      undo: () => list.forEach(({ id }) => this.library.hide(id, false)),
      send: (keepalive) => Promise.all(list.map((each) => this.removePicture(each, keepalive))),
    });
  }

  async removePicture({ id }, keepalive) {
    try {
      await this.api.remove(id, keepalive);
      this.library.drop(id);
    } catch (error) {
      if (error.status === 404) this.library.drop(id);
      else complain(error);
    } finally {
      this.library.hide(id, false);
    }
  }

  /** Deletes a result; `shown(is)` hides it and shows it again. */
  result(picture, result, name, shown) {
    shown(false);
    this.add(t("delete.done-one", { name }), {
      undo: () => shown(true),
      send: async (keepalive) => {
        try {
          await this.api.removeResult(picture.id, result.id, keepalive);
        } catch (error) {
          if (error.status !== 404) complain(error);
        } finally {
          shown(true); // it is not in the list any more, or could not be deleted
          this.library.changed();
        }
      },
    });
  }

  add(text, deed) {
    this.waiting.add(deed);
    deed.timer = setTimeout(() => this.send(deed), SECONDS * 1000);
    deed.close = notify(text, { seconds: SECONDS, act: t("delete.undo"), run: () => this.undo(deed) });
  }

  undo(deed) {
    clearTimeout(deed.timer);
    if (this.waiting.delete(deed)) deed.undo();
  }

  send(deed, keepalive = false) {
    clearTimeout(deed.timer);
    deed.close();
    return this.waiting.delete(deed) ? deed.send(keepalive) : null;
  }

  /** Sends what waits: the page is left, or an upload needs the room. */
  flush({ keepalive = false } = {}) {
    return Promise.all([...this.waiting].map((deed) => this.send(deed, keepalive)));
  }
}
