"use strict";

// A method's samples[sample][sampler] is a list of frames [step, calls, splices]; see player.py.
const { methods } = JSON.parse(document.getElementById("data").textContent);
const GIVEN = -1; // instead of a number of writes
const AGES = [0, 1, 2, 4, 8, 32]; // the youngest of each colour, in steps
const SPEEDS = [1, 2, 4, 8, 16, 32]; // frames a second
const byId = (id) => document.getElementById(id);
const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const isWritten = (cell) => cell.writes > 0 && !cell.mask;
const ageOf = (cell, step) => AGES.findLastIndex((youngest) => step - cell.since >= youngest);

/** A cell, coded [token, step in which it came, writes], in the words of its method. */
function cellOf([token, since, writes], method) {
  const given = writes === GIVEN;
  const mask = !given && token === method.mask;
  const end = !given && token === method.eos;
  return { word: method.words[token], since, writes, given, mask, end };
}

/** The cells of every frame, from what changed; `order` sorts frames of equal calls. */
function unfold(coded, method) {
  let cells = [];
  const frames = [];
  for (const [step, calls, splices] of coded) {
    cells = cells.slice();
    for (const [place, gone, came] of splices.reverse()) {
      cells.splice(place, gone, ...came.map((cell) => cellOf(cell, method)));
    }
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
  const again = cell.writes > (cell.mask ? 0 : 1) ? " again" : "";
  if (cell.given) return "given";
  if (cell.mask) return `mask${again}`;
  if (!isWritten(cell)) return "start";
  return `age-${ageOf(cell, step)}${again}${cell.end ? " end" : ""}${behind ? " behind" : ""}`;
}

function titleOf(cell, behind) {
  const { since, writes } = cell;
  if (cell.given) return "given";
  if (cell.mask) return writes ? `masked again in step ${since}` : "not written yet";
  if (!isWritten(cell)) return "there at the start";
  const again = writes > 1 ? `, token ${writes} at this place` : "";
  return `written in step ${since}${again}${behind ? "; behind the end" : ""}`;
}

function textOf(cell, behind) {
  if (cell.mask) return "_";
  if (cell.end) return behind ? "·" : "end";
  return cell.word;
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
  if (isWritten(cell)) span.dataset.since = cell.since;
  else delete span.dataset.since;
}

/** alpha(t) over t, and a mark at the share of free places that are written. */
class Curve {
  constructor(parent, alphas) {
    this.alphas = alphas;
    this.svg = this.add(parent, "svg", { class: "curve", viewBox: "-16 -10 132 84", role: "img" });
    this.add(this.svg, "path", { class: "axes", d: "M0 0V60H100" });
    this.label(-14, 6, "α");
    this.label(94, 73, "t");
    const points = alphas.map((alpha, i) => `${this.x(i)} ${this.y(alpha)}`);
    this.add(this.svg, "path", { d: `M${points.join("L")}` });
    this.line = this.add(this.svg, "path", { class: "mark" });
    this.dot = this.add(this.svg, "circle", { r: 4 });
  }

  x(i) {
    return (100 * i) / (this.alphas.length - 1);
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
    const behind = Math.max(1, this.alphas.findIndex((alpha, i) => i > 0 && alpha <= share));
    const [high, low] = [this.alphas[behind - 1], this.alphas[behind]];
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
  constructor(article, coded, method) {
    this.frames = unfold(coded, method);
    this.spaced = method.spaced;
    this.text = article.querySelector(".text");
    this.text.textContent = "";
    const header = article.querySelector("header");
    this.status = add(header.firstElementChild, "p", "status");
    this.spans = [];
    this.curve = method.curve.length ? new Curve(header, method.curve) : null;
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
      paint(this.spans[i], cell, frame.step, behind && !cell.given);
      behind ||= cell.end;
    });
    this.tell(frame);
  }

  fit(places) {
    while (this.spans.length < places) {
      this.spans.push(add(this.text, "span"));
      if (this.spaced) this.text.append(" ");
    }
    while (this.spans.length > places) {
      const span = this.spans.pop();
      if (this.spaced) span.nextSibling.remove();
      span.remove();
    }
  }

  tell({ step, calls, cells }) {
    const last = this.frames.at(-1);
    const free = last.cells.filter((cell) => !cell.given).length;
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
      byId("player").classList.toggle("numbered", event.target.checked);
    });
    document.addEventListener("keydown", (event) => this.press(event));
  }

  /** Keys that the focused control has a use for itself are left to it; so are all out of sight. */
  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") return;
    const { top, bottom } = byId("controls").getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) return;
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
  const cells = panels.flatMap((p) => [...new Set(p.frames.flatMap((frame) => frame.cells))]);
  const longest = Math.max(...panels.map((p) => p.frames.at(-1).step));
  const kinds = [
    ["given", "abc", "given", cells.some((c) => c.given)],
    ["start", "abc", "there at the start", cells.some((c) => c.writes === 0 && !c.mask)],
    ["mask", "_", "not written yet", cells.some((c) => c.mask)],
    ["mask again", "_", "masked again", cells.some((c) => c.mask && c.writes > 0)],
    ["again", "abc", "written again", cells.some((c) => isWritten(c) && c.writes > 1)],
    ["end", "end", "end of the text; what follows is not counted", cells.some((c) => c.end)],
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

const words = methods.flatMap((method) => Object.values(method.words));
const single = words.every((word) => [...word].length === 1);
const spaced = methods.some((method) => method.spaced);
byId("player").classList.toggle("spaced", spaced);
byId("player").classList.toggle("grid", single && !spaced);
const told = methods[0].samples.flatMap((_, sample) =>
  methods.flatMap((method) => method.samples[sample].map((coded) => [coded, method])),
);
const articles = [...document.querySelectorAll("#player .panel")];
const panels = articles.map((article, i) => new Panel(article, ...told[i]));
legend(panels);
new Player(panels);
for (const id of ["controls", "legend", "notes"]) byId(id).hidden = false;
byId("schedule").hidden = !methods.some((method) => method.curve.length);
