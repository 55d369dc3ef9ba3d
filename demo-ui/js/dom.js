/** Creates elements. */

export const $ = (id) => document.getElementById(id);

/** Whether the service is on this machine, where uploads cost nothing. */
export const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);

/** Creates an element: attributes (`on…` are listeners, null is omitted), then children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Returns the nodes of a message, with the parts in backticks as code. */
export const prose = (text) =>
  text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** Notes whether the text of an element is the service's, and therefore in English. */
export const inEnglish = (element, isEnglish) => (isEnglish ? element.setAttribute("lang", "en") : element.removeAttribute("lang"));

export const whole = (number) => Math.round(number).toLocaleString("en").replaceAll(",", " ");

/** Debounces: runs the last of several calls after a pause. */
export function quietly(milliseconds, call) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), milliseconds);
  };
}
