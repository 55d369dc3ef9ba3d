/** Editors of lists of numbers: a grid for a matrix, and a curve through points. Each has an element and `show(text)`. */

import { label } from "./catalogue.js";
import { h } from "./dom.js";
import { t } from "./messages.js";

const read = (text) => String(text ?? "").split(",").filter((part) => part.trim() !== "").map(Number);

/** A matrix as a square of entries. Lists that are not square have none. */
export function grid(parameter, change) {
  const element = h("div", { class: "matrix", role: "group", "aria-label": label(parameter.name), hidden: true });
  let inputs = [];
  const build = (side) => {
    inputs = Array.from({ length: side * side }, (_, index) => {
      const name = t("field.cell", { name: label(parameter.name), row: Math.floor(index / side) + 1, column: (index % side) + 1 });
      return h("input", { type: "number", step: "any", inputmode: "decimal", "aria-label": name, oninput: () => change(inputs.map(({ value }) => Number(value) || 0).join(",")) });
    });
    element.style.setProperty("--side", String(side));
    element.replaceChildren(...inputs);
  };
  return {
    element,
    show(text) {
      const numbers = read(text);
      const side = Math.sqrt(numbers.length);
      element.hidden = !Number.isInteger(side) || side < 2 || !numbers.every(Number.isFinite);
      if (element.hidden) return;
      if (inputs.length !== numbers.length) build(side);
      inputs.forEach((input, index) => {
        if (document.activeElement !== input) input.value = String(numbers[index]);
      });
    },
  };
}

const MOST = 255;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const within = (value, least, most) => Math.min(most, Math.max(least, value));

/** A curve of levels: drag a point, click beside the points to add one, press Delete to remove one. */
export function curve(parameter, change) {
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${MOST} ${MOST}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  const knots = h("div", { class: "knots" });
  const element = h("div", { class: "curve", role: "group", "aria-label": label(parameter.name) }, svg, knots);
  let points = []; // [[x, y]…], x ascending
  const say = () => change(points.flat().join(","));
  const draw = () => {
    const levels = spline(points);
    line.setAttribute("d", levels.map((level, at) => `${at ? "L" : "M"}${at} ${MOST - within(level, 0, MOST)}`).join(""));
    while (knots.children.length > points.length) knots.lastChild.remove();
    while (knots.children.length < points.length) knots.append(h("button", { type: "button", class: "knot" }));
    points.forEach(([x, y], index) => {
      const knot = knots.children[index];
      Object.assign(knot.style, { left: `${(x / MOST) * 100}%`, bottom: `${(y / MOST) * 100}%` });
      knot.setAttribute("aria-label", t("field.knot", { x, y }));
    });
  };
  const place = (index, x, y) => {
    const [least, most] = [(points[index - 1]?.[0] ?? -1) + 1, (points[index + 1]?.[0] ?? MOST + 1) - 1];
    points[index] = [within(Math.round(x), least, most), within(Math.round(y), 0, MOST)];
    draw();
    say();
  };
  const at = ({ clientX, clientY }) => {
    const { left, bottom, width, height } = element.getBoundingClientRect();
    return [within(((clientX - left) / width) * MOST, 0, MOST), within(((bottom - clientY) / height) * MOST, 0, MOST)];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    let index = [...knots.children].indexOf(event.target);
    const [x, y] = at(event);
    if (index < 0) {
      if (points.some(([other]) => Math.abs(other - x) < 1)) return;
      points = [...points, [Math.round(x), Math.round(y)]].sort((one, other) => one[0] - other[0]);
      index = points.findIndex(([other]) => other === Math.round(x));
      draw();
      say();
    }
    knots.children[index].focus();
    element.setPointerCapture(event.pointerId);
    const move = (next) => place(index, ...at(next));
    element.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => element.removeEventListener("pointermove", move), { once: true });
  });
  knots.addEventListener("keydown", (event) => {
    const index = [...knots.children].indexOf(event.target);
    const move = MOVES[event.key]?.map((each) => each * (event.shiftKey ? 10 : 1));
    if (move) place(index, points[index][0] + move[0], points[index][1] + move[1]);
    else if (["Delete", "Backspace"].includes(event.key) && points.length > 1) {
      points.splice(index, 1);
      draw();
      say();
      knots.children[Math.max(0, index - 1)].focus();
    } else return;
    event.preventDefault();
  });
  return {
    element,
    show(text) {
      const numbers = read(text);
      const next = Array.from({ length: Math.floor(numbers.length / 2) }, (_, index) => numbers.slice(2 * index, 2 * index + 2));
      const ascends = next.every(([x], index) => !index || x > next[index - 1][0]);
      element.hidden = numbers.length % 2 > 0 || !next.length || !ascends || !numbers.every((each) => each >= 0 && each <= MOST);
      if (element.hidden) return;
      points = next;
      draw();
    },
  };
}

/** Returns the natural cubic spline through the points at each level, as the service evaluates it. */
function spline(points) {
  const [x, y] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const last = x.length - 1;
  const bends = new Array(x.length).fill(0);
  const parts = new Array(x.length).fill(0);
  for (let at = 1; at < last; at += 1) {
    const share = (x[at] - x[at - 1]) / (x[at + 1] - x[at - 1]);
    const pivot = share * bends[at - 1] + 2;
    const slope = (y[at + 1] - y[at]) / (x[at + 1] - x[at]) - (y[at] - y[at - 1]) / (x[at] - x[at - 1]);
    bends[at] = (share - 1) / pivot;
    parts[at] = ((6 * slope) / (x[at + 1] - x[at - 1]) - share * parts[at - 1]) / pivot;
  }
  bends[last] = 0;
  for (let at = last - 1; at >= 0; at -= 1) bends[at] = bends[at] * bends[at + 1] + parts[at];
  return Array.from({ length: MOST + 1 }, (_, level) => {
    if (level <= x[0]) return y[0];
    if (level >= x[last]) return y[last];
    const right = x.findIndex((each) => each >= level);
    const wide = x[right] - x[right - 1];
    const [a, b] = [(x[right] - level) / wide, (level - x[right - 1]) / wide];
    return a * y[right - 1] + b * y[right] + (((a ** 3 - a) * bends[right - 1] + (b ** 3 - b) * bends[right]) * wide ** 2) / 6;
  });
}
