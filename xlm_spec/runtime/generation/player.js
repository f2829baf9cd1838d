"use strict";

// A method's samples[sample][sampler] is a list of frames [step, calls, splices]; see player.py.
const { methods } = JSON.parse(document.getElementById("data").textContent);
const FIXED = -1, GONE = -2; // instead of a number of writes
const AGES = [0, 1, 2, 4, 8, 32]; // the youngest of each colour, in steps
const SPEEDS = [1, 2, 4, 8, 16, 32]; // frames per second
const byId = (id) => document.getElementById(id);
const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const isGenerated = (cell) => cell.writes > 0 && !cell.mask;
const ageOf = (cell, step) => AGES.findLastIndex((youngest) => step - cell.since >= youngest);

/** A decoded cell [token, step in which it was written, writes, replaced token] of a method. */
function cellOf([token, since, writes, was], method) {
  const fixed = writes === FIXED;
  const gone = writes === GONE;
  const mask = !fixed && token === method.mask;
  const end = !fixed && token === method.eos;
  const edited = method.edits && !fixed && !mask;
  const swapped = edited && was !== undefined;
  const word = method.words[token];
  const before = swapped ? method.words[was] : "";
  return { word, since, writes, fixed, mask, end, gone, edited, swapped, before };
}

/** The cells of each frame; `order` sorts frames with equal calls. */
function unfold(coded, method) {
  let cells = [];
  const frames = [];
  for (const [step, calls, splices] of coded) {
    cells = cells.slice();
    for (const [index, gone, came] of splices.reverse()) {
      cells.splice(index, gone, ...came.map((cell) => cellOf(cell, method)));
    }
    const before = frames.at(-1);
    const order = before && before.calls === calls ? before.order + 1 : 0;
    frames.push({ step, calls, order, cells });
  }
  return frames;
}

/** For each frame, how many tokens were inserted, deleted and substituted until then. */
function countEdits(frames) {
  const found = new Map();
  let [inserted, deleted, swapped] = [0, 0, 0];
  frames.forEach((frame, i) => {
    const now = frame.cells.filter((c) => c.since === frame.step && (c.gone || isGenerated(c)));
    for (const cell of i ? now : []) {
      if (cell.gone) deleted += 1;
      else if (cell.swapped) swapped += 1;
      else inserted += 1;
    }
    found.set(frame, `${inserted} inserted, ${deleted} deleted, ${swapped} substituted`);
  });
  return found;
}

function add(parent, tag, className = "", text = "") {
  const made = parent.appendChild(document.createElement(tag));
  made.className = className;
  made.textContent = text;
  return made;
}

/** The classes of a cell. Only they depend on the step. */
function looks(cell, step, after) {
  const again = cell.writes > (cell.mask ? 0 : 1) ? " again" : "";
  if (cell.fixed) return "fixed";
  if (cell.gone) return "gone";
  if (cell.mask) return `mask${again}`;
  if (!isGenerated(cell)) return "start";
  if (cell.swapped) return `age-${ageOf(cell, step)} swapped${after ? " after" : ""}`;
  return `age-${ageOf(cell, step)}${again}${cell.end ? " end" : ""}${after ? " after" : ""}`;
}

function titleOf(cell, after) {
  const { since, writes } = cell;
  if (cell.fixed) return "fixed";
  if (cell.mask) return writes ? `remasked in step ${since}` : "masked";
  if (cell.gone) return `deleted in step ${since}`;
  if (!isGenerated(cell)) return "in the initial state";
  if (cell.swapped) return `substituted for ${cell.before} in step ${since}`;
  if (cell.edited) return `inserted in step ${since}`;
  const again = writes > 1 ? `, token ${writes} at this position` : "";
  return `generated in step ${since}${again}${after ? "; after the end" : ""}`;
}

function textOf(cell, after) {
  if (cell.mask) return "_";
  if (cell.end) return after ? "·" : "end";
  return cell.word;
}

function paint(span, cell, step, after) {
  const text = textOf(cell, after);
  const blank = text === " " ? " space" : text.includes("\n") ? " break" : "";
  const classes = `cell ${looks(cell, step, after)}${blank}`;
  if (span.cell === cell && span.className === classes) return;
  span.cell = cell;
  span.className = classes;
  span.textContent = text;
  span.title = titleOf(cell, after);
  if (isGenerated(cell)) span.dataset.since = cell.since;
  else delete span.dataset.since;
}

/** alpha(t) over t, and a dot at the share of free tokens that are generated. */
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

  /** Places the dot on the falling curve, by linear interpolation between two points. */
  show(share, words) {
    const after = Math.max(1, this.alphas.findIndex((alpha, i) => i > 0 && alpha <= share));
    const [high, low] = [this.alphas[after - 1], this.alphas[after]];
    const part = high > low ? Math.min(1, Math.max(0, (high - share) / (high - low))) : 0;
    const [x, y] = [this.x(after - 1 + part), this.y(share)];
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
    this.edits = method.edits ? countEdits(this.frames) : null;
    this.text = article.querySelector(".text");
    this.text.textContent = "";
    const header = article.querySelector("header");
    this.status = add(header.firstElementChild, "p", "status");
    this.spans = [];
    this.curve = method.curve.length ? new Curve(header, method.curve) : null;
  }

  /** The last frame at or before a time of the clock, or the first. */
  at([calls, order]) {
    const reached = (f) => f.calls < calls || (f.calls === calls && f.order <= order);
    return this.frames.findLast(reached) ?? this.frames[0];
  }

  show(time) {
    const frame = this.at(time);
    if (frame === this.shown) return;
    this.shown = frame;
    this.fit(frame.cells.length);
    let after = false;
    frame.cells.forEach((cell, i) => {
      paint(this.spans[i], cell, frame.step, after && !cell.fixed);
      after ||= cell.end;
    });
    this.tell(frame);
  }

  fit(count) {
    while (this.spans.length < count) {
      this.spans.push(add(this.text, "span"));
      if (this.spaced) this.text.append(" ");
    }
    while (this.spans.length > count) {
      const span = this.spans.pop();
      if (this.spaced) span.nextSibling.remove();
      span.remove();
    }
  }

  tell({ step, calls, cells }) {
    const last = this.frames.at(-1);
    const free = last.cells.filter((cell) => !cell.fixed && !cell.gone).length;
    const generated = cells.filter(isGenerated).length;
    const edits = this.edits?.get(this.shown);
    const share = edits ?? `${generated} of ${free} generated`;
    const lines = [`step ${step} of ${last.step}`, plural(calls, "network call"), share];
    this.status.textContent = lines.join("\n");
    const done = this.edits ? step / Math.max(1, last.step) : generated / Math.max(1, free);
    this.curve?.show(free ? Math.min(1, done) : 0, share);
  }
}

/** Every [calls, order] at which a panel changes. */
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

  go(index) {
    this.index = Math.min(Math.max(index, 0), this.times.length - 1);
    const text = `${this.times[this.index][0]} of ${plural(this.times.at(-1)[0], "network call")}`;
    this.slider.value = this.index;
    this.slider.setAttribute("aria-valuetext", text);
    byId("clock-text").textContent = text;
    for (const panel of this.panels) panel.show(this.times[this.index]);
  }

  get atEnd() {
    return this.index === this.times.length - 1;
  }

  play() {
    if (this.atEnd) this.go(0);
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      this.go(this.index + 1);
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

  step(index) {
    this.pause();
    this.go(index);
  }

  listen() {
    byId("play").addEventListener("click", () => this.toggle());
    this.slider.addEventListener("input", () => this.step(Number(this.slider.value)));
    const speed = byId("speed");
    for (const s of SPEEDS) speed.add(new Option(`${s} per second`, s, false, s === this.speed));
    speed.addEventListener("change", () => {
      this.speed = Number(speed.value);
      if (this.timer !== null) this.play();
    });
    byId("numbered").addEventListener("change", (event) => {
      byId("player").classList.toggle("numbered", event.target.checked);
    });
    document.addEventListener("keydown", (event) => this.press(event));
  }

  /** Ignores keys that the focused control handles, and all keys while out of sight. */
  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") return;
    const { top, bottom } = byId("controls").getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) return;
    const takesSpace = event.target.matches("button, [type=checkbox]");
    const moves = {
      ArrowLeft: () => this.step(this.index - 1),
      ArrowRight: () => this.step(this.index + 1),
      Home: () => this.step(0),
      End: () => this.step(this.times.length - 1),
      " ": takesSpace ? undefined : () => this.toggle(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }
}

/** The meaning of each cell style that occurs. */
function legend(panels) {
  const cells = panels.flatMap((p) => [...new Set(p.frames.flatMap((frame) => frame.cells))]);
  const longest = Math.max(...panels.map((p) => p.frames.at(-1).step));
  const kinds = [
    ["fixed", "abc", "fixed", cells.some((c) => c.fixed)],
    ["start", "abc", "in the initial state", cells.some((c) => c.writes === 0 && !c.mask)],
    ["mask", "_", "masked", cells.some((c) => c.mask)],
    ["mask again", "_", "remasked", cells.some((c) => c.mask && c.writes > 0)],
    ["swapped", "abc", "substituted", cells.some((c) => c.swapped)],
    ["gone", "abc", "deleted", cells.some((c) => c.gone)],
    ["again", "abc", "replaced", cells.some((c) => isGenerated(c) && c.writes > 1 && !c.swapped)],
    ["end", "end", "end of the text; later tokens are ignored", cells.some((c) => c.end)],
  ];
  const entry = (tag) => add(byId("legend"), tag);
  const ages = entry("span");
  ages.append("steps since generated: ");
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
const coded = methods[0].samples.flatMap((_, sample) =>
  methods.flatMap((method) => method.samples[sample].map((coded) => [coded, method])),
);
const articles = [...document.querySelectorAll("#player .panel")];
const panels = articles.map((article, i) => new Panel(article, ...coded[i]));
legend(panels);
new Player(panels);
for (const id of ["controls", "legend", "notes"]) byId(id).hidden = false;
byId("schedule").hidden = !methods.some((method) => method.curve.length);
