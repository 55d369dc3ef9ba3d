/** Divides code into parts, so that names, values and punctuation can be told apart. */

import { h } from "./dom.js";

const URL_TAB = "url";
const PLAIN_TABS = ["markdown"]; // prose with an address in it
const COMMENT = /<!--[\s\S]*?-->|(?:^|(?<=\s))\/\/.*/;
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/;
const TAG = /<\/?[A-Za-z][\w.-]*|<\?php|<\?=|\?>|\/?>/;
const OPTION = /(?<=\s)--?[a-z][\w-]*/;
const NAME = /:?[A-Za-z_$][\w$-]*(?==)/;
const WORD = /\b(?:import|from|export|default|function|return|const|new|if)\b/;
const NUMBER = /\b\d+(?:\.\d+)?\b/;
const KINDS = ["comment", "value", "element", "name", "name", "word", "value"];
const CODE = new RegExp([COMMENT, QUOTED, TAG, OPTION, NAME, WORD, NUMBER].map(({ source }) => `(${source})`).join("|"), "gm");

/** Returns the nodes of the code of a tab; the text in them is the code itself. */
export function highlighted(text, tab) {
  if (tab === URL_TAB || !/\s/.test(text)) return ofUrl(text);
  if (PLAIN_TABS.includes(tab)) return [text];
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(CODE)) {
    const kind = KINDS[match.slice(1).findIndex((each) => each !== undefined)];
    nodes.push(text.slice(from, match.index), h("span", { class: kind === "value" && isKey(text, match) ? "name" : kind }, match[0]));
    from = match.index + match[0].length;
  }
  return [...nodes, text.slice(from)].filter((each) => each !== "");
}

/** Whether a text in quotes is the name of a member, as in JSON. */
const isKey = (text, match) => text[match.index + match[0].length] === ":" && match[0].startsWith('"');

function ofUrl(text) {
  let after = "";
  return text.split(/([?&=])/).map((part) => {
    const kind = after === "=" ? "value" : after ? "name" : "";
    if (!/^[?&=]$/.test(part)) return kind ? h("span", { class: kind }, part) : document.createTextNode(part);
    after = part;
    return h("b", {}, part);
  });
}
