/** How a visitor enters: the session, the password of the site, and the code of another device. */

import { $ } from "../js/dom.js";
import { isTemporary } from "./api.js";
import { t } from "../js/messages.js";
import { ask, complain, notify } from "./notices.js";

const CODE = /^#code=([\w.~-]+)$/;
const PAUSE = 2000; // milliseconds between two attempts to reach the server

/** Returns whether the address has a code, such as one that was opened in a tab with the page. */
export const hasCode = () => CODE.test(location.hash);

/** Returns the session, as soon as there is one: the server answers, and the password or a code was right. */
export async function enter(api) {
  const session = await takeCode(api, await reach(api)); // the visitor of a code has given the password already
  return session.passwordNeeded ? unlock(api) : session;
}

async function reach(api) {
  for (;;) {
    try {
      const session = await api.session();
      $("banner").hidden = true;
      return session;
    } catch (error) {
      if (!("status" in error)) throw error;
      $("banner").textContent = error.status === 404 ? t("no-gallery") : error.message;
      $("banner").hidden = false;
      if (!isTemporary(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE, error.retryAfter * 1000)));
    }
  }
}

/** Asks for the password until it is right. */
function unlock(api) {
  $("locked").hidden = false;
  $("password").focus();
  return new Promise((resolve) => {
    $("locked-form").onsubmit = async (event) => {
      event.preventDefault();
      $("locked-note").textContent = "";
      try {
        const session = await api.enter({ password: $("password").value });
        $("locked").hidden = true;
        $("password").value = "";
        resolve(session);
      } catch (error) {
        if (!("status" in error)) throw error;
        $("locked-note").textContent = error.message;
        $("password").select();
      }
    };
  });
}

/**
 * Becomes the visitor of another device if the address has its code, and this visitor agrees: somebody else may have sent
 * the link, who would then see what is uploaded here.
 */
async function takeCode(api, session) {
  const [, code] = CODE.exec(location.hash) ?? [];
  if (!code) return session;
  history.replaceState(null, "", location.pathname); // the code is used up, whatever becomes of it
  const count = session.used.pictures;
  const own = count ? ` ${t("devices.replace-own", { count })}` : "";
  if (!(await ask(t("devices.replace"), t("devices.replace-note") + own, t("devices.yes")))) return session;
  try {
    const taken = await api.enter({ code });
    notify(t("devices.here"));
    return taken;
  } catch (error) {
    complain(error);
    return session;
  }
}
