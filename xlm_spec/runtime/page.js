"use strict";

// data.samples[sample][sampler] is a list of frames [step, calls, splices]; see page.py.
const data = JSON.parse(document.getElementById("data").textContent);
const [TOKEN, SINCE, WRITES] = [0, 1, 2]; // of a cell
const GIVEN = -1; // as WRITES
const AGES = [0, 1, 2, 4, 8, 32]; // the youngest of each colour, in steps
const SPEEDS = [1, 2, 4, 8, 16, 32]; // frames a second
const byId = (id) => document.getElementById(id);
const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const isMask = (cell) => cell[WRITES] !== GIVEN && cell[TOKEN] === data.mask;
const isWritten = (cell) => cell[WRITES] > 0 && cell[TOKEN] !== data.mask;
const isEnd = (cell) => cell[WRITES] !== GIVEN && cell[TOKEN] === data.eos;
const ageOf = (cell, step) => AGES.findLastIndex((youngest) => step - cell[SINCE] >= youngest);

/** The cells of every frame, from what changed; `order` sorts frames of equal calls. */
function unfold(coded) {
  let cells = [];
  const frames = [];
  for (const [step, calls, splices] of coded) {
    cells = cells.slice();
    for (const [place, gone, came] of splices.reverse()) cells.splice(place, gone, ...came);
    const before = frames.at(-1);
    const order = before && before.calls === calls ? before.order + 1 : 0;
    frames.push({ step, calls, order, cells });
  }
  return frames;
}

function add(parent, tag, className = "", text = "") {
  const made = parent.appendChild(document.createElement(tag));
  made.className = className;
  made.textContent = text;
  return made;
}

/** The classes of a cell; nothing else of how it looks depends on the step. */
function looks(cell, step, behind) {
  const again = cell[WRITES] > (isMask(cell) ? 0 : 1) ? " again" : "";
  if (cell[WRITES] === GIVEN) return "given";
  if (isMask(cell)) return `mask${again}`;
  if (!isWritten(cell)) return "start";
  return `age-${ageOf(cell, step)}${again}${isEnd(cell) ? " end" : ""}${behind ? " behind" : ""}`;
}

function titleOf(cell, behind) {
  const [, since, writes] = cell;
  if (writes === GIVEN) return "given";
  if (isMask(cell)) return writes ? `masked again in step ${since}` : "not written yet";
  if (!isWritten(cell)) return "there at the start";
  const again = writes > 1 ? `, token ${writes} at this place` : "";
  return `written in step ${since}${again}${behind ? "; behind the end" : ""}`;
}

function textOf(cell, behind) {
  if (isMask(cell)) return "_";
  if (isEnd(cell)) return behind ? "·" : "end";
  return data.words[cell[TOKEN]];
}

function paint(span, cell, step, behind) {
  const text = textOf(cell, behind);
  const blank = text === " " ? " space" : text.includes("\n") ? " break" : "";
  const classes = `cell ${looks(cell, step, behind)}${blank}`;
  if (span.cell === cell && span.className === classes) return;
  span.cell = cell;
  span.className = classes;
  span.textContent = text;
  span.title = titleOf(cell, behind);
  if (isWritten(cell)) span.dataset.since = cell[SINCE];
  else delete span.dataset.since;
}

/** alpha(t) over t, and a mark at the share of free places that are written. */
class Curve {
  constructor(parent) {
    this.svg = this.add(parent, "svg", { class: "curve", viewBox: "-16 -10 132 84", role: "img" });
    this.add(this.svg, "path", { class: "axes", d: "M0 0V60H100" });
    this.label(-14, 6, "α");
    this.label(94, 73, "t");
    const points = data.curve.map((alpha, i) => `${this.x(i)} ${this.y(alpha)}`);
    this.add(this.svg, "path", { d: `M${points.join("L")}` });
    this.line = this.add(this.svg, "path", { class: "mark" });
    this.dot = this.add(this.svg, "circle", { r: 4 });
  }

  x(i) {
    return (100 * i) / (data.curve.length - 1);
  }

  y(alpha) {
    return 60 * (1 - alpha);
  }

  add(parent, tag, attributes) {
    const made = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", tag));
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  label(x, y, text) {
    this.add(this.svg, "text", { x, y }).textContent = text;
  }

  /** The curve falls; where it passes the share, a straight line between two points will do. */
  show(share, words) {
    const behind = Math.max(1, data.curve.findIndex((alpha, i) => i > 0 && alpha <= share));
    const [high, low] = [data.curve[behind - 1], data.curve[behind]];
    const part = high > low ? Math.min(1, Math.max(0, (high - share) / (high - low))) : 0;
    const [x, y] = [this.x(behind - 1 + part), this.y(share)];
    this.line.setAttribute("d", `M0 ${y}H${x}V60`);
    this.dot.setAttribute("cx", x);
    this.dot.setAttribute("cy", y);
    this.svg.setAttribute("aria-label", `Schedule alpha of t; ${words}`);
  }
}

/** One sampler's trajectory. */
class Panel {
  constructor(article, coded) {
    this.frames = unfold(coded);
    this.text = article.querySelector(".text");
    this.text.textContent = "";
    const header = article.querySelector("header");
    this.status = add(header.firstElementChild, "p", "status");
    this.spans = [];
    this.curve = data.curve.length ? new Curve(header) : null;
  }

  /** The last frame that was reached at a time of the clock; the first at least. */
  at([calls, order]) {
    const reached = (f) => f.calls < calls || (f.calls === calls && f.order <= order);
    return this.frames.findLast(reached) ?? this.frames[0];
  }

  show(time) {
    const frame = this.at(time);
    if (frame === this.shown) return;
    this.shown = frame;
    this.fit(frame.cells.length);
    let behind = false;
    frame.cells.forEach((cell, i) => {
      paint(this.spans[i], cell, frame.step, behind && cell[WRITES] !== GIVEN);
      behind ||= isEnd(cell);
    });
    this.tell(frame);
  }

  fit(places) {
    while (this.spans.length < places) {
      this.spans.push(add(this.text, "span"));
      if (data.spaced) this.text.append(" ");
    }
    while (this.spans.length > places) {
      const span = this.spans.pop();
      if (data.spaced) span.nextSibling.remove();
      span.remove();
    }
  }

  tell({ step, calls, cells }) {
    const last = this.frames.at(-1);
    const free = last.cells.filter((cell) => cell[WRITES] !== GIVEN).length;
    const written = cells.filter(isWritten).length;
    const share = `${written} of ${free} written`;
    const lines = [`step ${step} of ${last.step}`, plural(calls, "network call"), share];
    this.status.textContent = lines.join("\n");
    this.curve?.show(free ? Math.min(1, written / free) : 0, share);
  }
}

/** Every [calls, order] at which some panel changes. */
function clockOf(panels) {
  const times = new Map();
  for (const { calls, order } of panels.flatMap((p) => p.frames)) {
    times.set(`${calls} ${order}`, [calls, order]);
  }
  return [...times.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

class Player {
  constructor(panels) {
    this.panels = panels;
    this.times = clockOf(panels);
    this.slider = byId("clock");
    this.slider.max = this.times.length - 1;
    this.timer = null;
    this.speed = SPEEDS.find((s) => s > 1 && this.times.length / s <= 15) ?? SPEEDS.at(-1);
    this.listen();
    this.go(this.times.length - 1);
  }

  go(place) {
    this.place = Math.min(Math.max(place, 0), this.times.length - 1);
    const told = `${this.times[this.place][0]} of ${plural(this.times.at(-1)[0], "network call")}`;
    this.slider.value = this.place;
    this.slider.setAttribute("aria-valuetext", told);
    byId("told").textContent = told;
    for (const panel of this.panels) panel.show(this.times[this.place]);
  }

  get atEnd() {
    return this.place === this.times.length - 1;
  }

  play() {
    if (this.atEnd) this.go(0);
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      this.go(this.place + 1);
      if (this.atEnd) this.pause();
    }, 1000 / this.speed);
    byId("play").textContent = "Pause";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    byId("play").textContent = "Play";
  }

  toggle() {
    if (this.timer === null) this.play();
    else this.pause();
  }

  step(place) {
    this.pause();
    this.go(place);
  }

  listen() {
    byId("play").addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => this.step(Number(this.slider.value)));
    const speed = byId("speed");
    for (const s of SPEEDS) speed.add(new Option(`${s} a second`, s, false, s === this.speed));
    speed.addEventListener("change", () => {
      this.speed = Number(speed.value);
      if (this.timer !== null) this.play();
    });
    byId("numbered").addEventListener("change", (event) => {
      document.body.classList.toggle("numbered", event.target.checked);
    });
    document.addEventListener("keydown", (event) => this.press(event));
  }

  /** Keys that the focused control has a use for itself are left to it. */
  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") return;
    const takesSpace = event.target.matches("button, [type=checkbox]");
    const moves = {
      ArrowLeft: () => this.step(this.place - 1),
      ArrowRight: () => this.step(this.place + 1),
      Home: () => this.step(0),
      End: () => this.step(this.times.length - 1),
      " ": takesSpace ? undefined : () => this.toggle(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }
}

/** What the looks of a cell mean; only of those that occur. */
function legend(panels) {
  const splices = data.samples.flat(2).flatMap((frame) => frame[2]);
  const cells = splices.flatMap((splice) => splice[2]);
  const longest = Math.max(...panels.map((p) => p.frames.at(-1).step));
  const kinds = [
    ["given", "abc", "given", cells.some((c) => c[WRITES] === GIVEN)],
    ["start", "abc", "there at the start", cells.some((c) => c[WRITES] === 0 && !isMask(c))],
    ["mask", "_", "not written yet", cells.some(isMask)],
    ["mask again", "_", "masked again", cells.some((c) => isMask(c) && c[WRITES] > 0)],
    ["again", "abc", "written again", cells.some((c) => isWritten(c) && c[WRITES] > 1)],
    ["end", "end", "end of the text; what follows is not counted", cells.some(isEnd)],
  ];
  const entry = (tag) => add(byId("legend"), tag);
  const ages = entry("span");
  ages.append("steps since written: ");
  AGES.filter((youngest) => youngest <= longest).forEach((youngest, i) => {
    const oldest = AGES[i + 1] - 1;
    const range = i === AGES.length - 1 ? `${youngest}+` : `${youngest}–${oldest}`;
    add(ages, "span", `cell age-${i}`, youngest === oldest ? `${youngest}` : range);
  });
  for (const [classes, text, meaning] of kinds.filter((kind) => kind[3])) {
    const one = entry("span");
    add(one, "span", `cell ${classes}`, text);
    one.append(` ${meaning}`);
  }
}

const single = Object.values(data.words).every((word) => [...word].length === 1);
document.body.classList.toggle("spaced", data.spaced);
document.body.classList.toggle("grid", single && !data.spaced);
const articles = [...document.querySelectorAll(".panel")];
const panels = articles.map((article, i) => new Panel(article, data.samples.flat()[i]));
legend(panels);
new Player(panels);
for (const id of ["controls", "legend", "notes"]) byId(id).hidden = false;
byId("schedule").hidden = !data.curve.length;
