// Figures answer: a pointer or the arrow keys show what a mark is, dragging zooms, and the name of
// a group hides it. Without this script the page is complete, and its figures stand still.
const NEAR = 32; // pixels between the pointer and a mark that it shows
const DRAGGED = 8; // pixels; less is a click
const ZOOM_KEYS = { "+": 0.5, "=": 0.5, "-": 2 };

const made = (tag, className, parent) => {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
};
const tip = made("div", "tip", document.body);
const ring = made("div", "ring", document.body);
const box = made("div", "selection", document.body);
const spoken = made("div", "spoken", document.body);
tip.setAttribute("aria-hidden", "true");
spoken.setAttribute("role", "status");

function hideTip() {
  tip.hidden = ring.hidden = true;
  document.querySelectorAll(".lit").forEach((one) => one.classList.remove("lit"));
}

const isSame = (mark, other) => mark.element === other?.element && mark.text === other.text;
const clamped = (value, low, high) => Math.min(Math.max(value, low), high);

// A figure with axes: rows of strips, or a chart.
class Figure {
  constructor(root) {
    this.root = root;
    this.isChart = root.matches("svg");
    const { dataset } = this.isChart ? root : root.querySelector("[data-x]");
    this.axes = [new Axis(root, "x", dataset.x)];
    if (dataset.y) this.axes.push(new Axis(root, "y", dataset.y));
    this.current = null; // the mark that the keyboard reached
    this.host = root.closest("figure") ?? root;
    const heading = this.host.querySelector("h3") ?? root.closest("section").querySelector("h2");
    const words = [...heading.childNodes].filter((node) => !node.matches?.("small, .anchor"));
    this.title = words.map((node) => node.textContent).join("");
    this.titles = new Map(); // each mark's: the browser's own hints would cover ours
    for (const title of root.querySelectorAll(".marks title")) {
      this.titles.set(title.parentNode, title.textContent);
      title.remove();
    }
    this.#describe();
  }

  #describe() {
    this.root.tabIndex = 0;
    this.root.setAttribute("role", "group");
    const label = this.root.getAttribute("aria-label") ?? this.title;
    this.root.setAttribute("aria-label", `${label}: arrow keys read the values, + and \u2212 zoom, 0 shows all`);
    this.host.classList.add("host");
    const tools = made("div", "tools", this.host);
    for (const [sign, name, run] of [
      ["+", "Zoom in", () => this.zoom(0.5)],
      ["\u2212", "Zoom out", () => this.zoom(2)],
      ["show all", "Show all", () => this.showAll()],
    ]) {
      const button = made("button", "", tools);
      button.type = "button";
      button.tabIndex = -1; // the keys of the figure do the same
      button.textContent = sign;
      button.setAttribute("aria-label", `${name}: ${this.title}`);
      button.addEventListener("click", run);
    }
  }

  // Where values are drawn, on the screen.
  get area() {
    return this.root.querySelector(this.isChart ? ".ground" : ".foot .strip").getBoundingClientRect();
  }

  // The lines that are not hidden: the marks of a row or a curve, from left to right.
  lines(within = this.root) {
    const found = new Map();
    const add = (line, mark) => (found.has(line) ? found.get(line).push(mark) : found.set(line, [mark]));
    for (const element of within.querySelectorAll(".marks *")) {
      const text = this.titles.get(element);
      if (!text) continue;
      const line = element.closest(".row") ?? this.root;
      const { x, y, width, height } = element.getBoundingClientRect();
      if (!line.matches(".off")) add(line, { line, element, text, x: x + width / 2, y: y + height / 2 });
    }
    for (const curve of within.querySelectorAll("[data-titles]")) {
      const line = curve.parentNode;
      if (line.matches(".off")) continue;
      const matrix = curve.getScreenCTM();
      curve.dataset.titles.split("\n").forEach((text, i) => {
        const { x, y } = curve.points[i].matrixTransform(matrix);
        add(line, { line, element: curve, text, x, y });
      });
    }
    return [...found.values()].map((marks) => marks.sort((a, b) => a.x - b.x));
  }

  // Show the mark nearest to a pointer, if one is near; of rows, one of the row below it.
  point({ clientX: x, clientY: y, target }) {
    const { left, right } = this.area;
    const distance = (mark) => Math.hypot(mark.x - x, mark.y - y);
    const shown = this.lines(target.closest(".row") ?? this.root).flat().filter((mark) => mark.x > left - 6 && mark.x < right + 6);
    const nearest = shown.reduce((a, b) => (a && distance(a) <= distance(b) ? a : b), null);
    if (nearest && distance(nearest) < NEAR) this.showTip(nearest);
    else hideTip();
  }

  showTip(mark) {
    hideTip();
    const name = mark.line.dataset.group ?? mark.line.querySelector?.(".name b")?.textContent ?? this.title;
    tip.replaceChildren();
    made("b", "", tip).textContent = name;
    made("span", "", tip).textContent = mark.text;
    tip.hidden = ring.hidden = false;
    mark.line.classList.add("lit");
    const { width, height } = tip.getBoundingClientRect();
    const left = clamped(mark.x - width / 2, 8, document.documentElement.clientWidth - width - 8);
    const top = mark.y - height - 14 < 8 ? mark.y + 14 : mark.y - height - 14;
    tip.style.translate = `${left}px ${top}px`;
    ring.style.translate = `${mark.x}px ${mark.y}px`;
    return `${name}, ${mark.text}`;
  }

  // Go to the next mark of a line, or to the nearest of the next line.
  step(across, down) {
    const lines = this.lines().sort((a, b) => (this.isChart ? 0 : a[0].y - b[0].y));
    if (!lines.length) return;
    const places = lines.flatMap((marks, row) => marks.map((mark, i) => ({ row, i, mark })));
    const at = places.find(({ mark }) => isSame(mark, this.current));
    let next = lines[0][0];
    if (at && across) next = lines[at.row][at.i + across] ?? at.mark;
    else if (at) {
      const line = lines[at.row + down] ?? lines[at.row];
      next = line.reduce((a, b) => (Math.abs(a.x - at.mark.x) <= Math.abs(b.x - at.mark.x) ? a : b));
    }
    this.current = next;
    this.#reach();
    spoken.textContent = this.showTip(this.#now());
  }

  // The current mark, where it is now.
  #now() {
    return this.current && this.lines(this.current.line).flat().find((mark) => isSame(mark, this.current));
  }

  // Move the part that is shown so that the current mark is in it.
  #reach() {
    const { left, top, width, height } = this.area;
    for (const axis of this.axes) {
      const { x, y } = this.#now();
      const share = axis.name === "x" ? (x - left) / width : (y - top) / height;
      if (share < 0 || share > 1) axis.showPart(share - 0.5, share + 0.5);
    }
  }

  // Show a part of what is shown: `factor` times as much, around the current mark.
  zoom(factor) {
    const { left, top, width, height } = this.area;
    const mark = this.#now();
    hideTip();
    for (const axis of this.axes) {
      const centre = !mark ? 0.5 : axis.name === "x" ? (mark.x - left) / width : (mark.y - top) / height;
      axis.showPart(centre - factor / 2, centre + factor / 2);
    }
    this.#zoomed();
  }

  // Show what lies in a rectangle on the screen.
  zoomInto({ left, right, top, bottom }) {
    const { area } = this;
    for (const axis of this.axes) {
      if (axis.name === "x") axis.showPart((left - area.left) / area.width, (right - area.left) / area.width);
      else axis.showPart((top - area.top) / area.height, (bottom - area.top) / area.height);
    }
    this.#zoomed();
  }

  showAll() {
    hideTip();
    this.axes.forEach((axis) => axis.show(0, 1));
    this.#zoomed();
  }

  #zoomed() {
    this.host.classList.toggle("is-part", !this.axes.every((axis) => axis.isWhole));
  }

  // Show the part in which the groups lie that are not hidden: of curves, along the y axis.
  fit() {
    this.showAll();
    const axis = this.axes.at(-1);
    const groups = [...this.root.querySelectorAll("[data-group]")];
    const shown = groups.filter((group) => !group.matches(".off"));
    if (!shown.length || shown.length === groups.length) return;
    const parts = shown.flatMap((group) => [group, ...group.querySelectorAll("*")])
      .filter((part) => part.matches("polygon, polyline, .range, .row .marks, .zero"));
    const sizes = parts.map((part) => part.getBoundingClientRect());
    const [start, size] = axis.name === "x" ? ["left", "width"] : ["top", "height"];
    const { [start]: origin, [size]: whole } = this.area;
    const from = Math.min(...sizes.map((one) => one[start] - origin)) / whole;
    const to = Math.max(...sizes.map((one) => one[start] + one[size] - origin)) / whole;
    const room = Math.max(0.05 * (to - from), 0.02); // values that are all equal have some, too
    axis.show(from - room, to + room);
    this.#zoomed();
  }
}

function listen(figure) {
  const { root } = figure;
  let start = null;
  // From where the drag began to the pointer; a side that is as short as a click is the whole one.
  const rectangle = (event) => {
    const { left, right, top, bottom } = figure.isChart ? figure.area : root.getBoundingClientRect();
    const { left: first, right: last } = figure.area;
    let [x0, x1] = [start.x, event.clientX].map((x) => clamped(x, first, last)).sort((a, b) => a - b);
    let [y0, y1] = [start.y, event.clientY].map((y) => clamped(y, top, bottom)).sort((a, b) => a - b);
    if (!figure.isChart || y1 - y0 < DRAGGED) [y0, y1] = [top, bottom];
    else if (x1 - x0 < DRAGGED) [x0, x1] = [left, right];
    return new DOMRect(x0, y0, x1 - x0, y1 - y0);
  };
  const stop = () => {
    start = null;
    box.hidden = true;
  };
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest(".strip, .chart")) return;
    start = { x: event.clientX, y: event.clientY };
    figure.point(event);
  });
  root.addEventListener("pointermove", (event) => {
    if (!event.buttons) stop(); // it was let go where the figure did not hear of it
    if (!start) return figure.point(event);
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) < DRAGGED) return;
    const { x, y, width, height } = rectangle(event);
    root.setPointerCapture(event.pointerId);
    hideTip();
    box.hidden = false;
    box.style.translate = `${x}px ${y}px`;
    box.style.width = `${width}px`;
    box.style.height = `${height}px`;
  });
  root.addEventListener("pointerup", (event) => {
    if (start && !box.hidden) figure.zoomInto(rectangle(event));
    stop();
  });
  root.addEventListener("pointercancel", stop);
  root.addEventListener("pointerleave", (event) => {
    if (!start && event.pointerType !== "touch") hideTip(); // a finger leaves when it is lifted
  });
  root.addEventListener("dblclick", (event) => {
    if (event.target.closest(".strip, .chart")) figure.showAll();
  });
  root.addEventListener("blur", hideTip);
  root.addEventListener("keydown", (event) => {
    if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) figure.step(...moves[event.key]);
    else if (ZOOM_KEYS[event.key]) figure.zoom(ZOOM_KEYS[event.key]);
    else if (event.key === "0") figure.showAll();
    else if (event.key === "Escape") hideTip();
    else return;
    event.preventDefault();
  });
}

const figures = [...document.querySelectorAll(".rows, .chart")]
  .filter((root) => root.querySelector(".marks title, [data-titles]"))
  .map((root) => new Figure(root));
figures.forEach(listen);
addEventListener("pointerdown", hideTip, { capture: true });
addEventListener("scroll", hideTip, { passive: true });
addEventListener("resize", hideTip);
hideTip();
box.hidden = true;
