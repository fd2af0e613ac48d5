"use strict";
// What a person does with the drawing: look closer, go along, ask what led to what. Where one stands is in the address.
const opened = performance.now();
const $ = id => document.getElementById(id);
const run = Picture.prepare(JSON.parse($("data").textContent));
const { data, words } = run;
const svg = $("drawing");
const view = { axis: "time", from: 0, to: 1, width: 800, hiddenKinds: new Set(), hiddenLanes: new Set(), chosen: -1, cursor: -1, matches: [] };
let chosenArrow = -1, found = [], foundAt = -1, playing = 0, drawn = null, theme = "", query = "", printing = false;

// ---- details of steps, read when they are asked for ----------------------------------------------------------------

const text = $("details").textContent;
const lineStarts = new Uint32Array(run.count + 1);
for (let step = 0, at = 0; step < run.count; step++) { lineStarts[step] = at; at = text.indexOf("\n", at) + 1; lineStarts[step + 1] = at; }
const detailText = step => text.slice(lineStarts[step], lineStarts[step + 1] - 1);
const detail = step => JSON.parse(detailText(step));
const isState = it => !Array.isArray(it);

// The state of a step's lane after it: the last whole one, and what changed since.
function stateAt(step) {
  const lane = run.lane[step], changes = [];
  for (let at = step; at >= 0; at--) {
    if (run.lane[at] !== lane) continue;
    const state = detail(at).find(isState);
    if (!state) continue;
    if ("=" in state) return Object.assign({}, state["="], ...changes.reverse());
    changes.push(state["+"]);
  }
  return null;
}

function stepOnLane(step, lane, way) {
  for (let at = step + way; at >= 0 && at < run.count; at += way) if (run.lane[at] === lane) return at;
  return -1;
}

// ---- where we are --------------------------------------------------------------------------------------------------

const axis = () => run.axes[view.axis];
const place = step => axis().place(step);
const margin = () => view.axis === "order" ? 1 : Math.max(1, axis().end * .01);

function show(from, to) {
  const least = view.axis === "order" ? 4 : Math.max(10, axis().end / 1e6), edge = margin(), whole = axis().end + 2 * edge;
  // Only what the address can say, so that it shows the same again.
  const grain = view.axis === "order" ? 100 : 1, said = it => Math.round(it * grain) / grain;
  const span = said(Math.min(Math.max(to - from, least), whole)), middle = (from + to) / 2;
  view.from = said(Math.max(-edge, Math.min(middle - span / 2, axis().end + edge - span)));
  view.to = said(view.from + span);
  redraw();
}
const showAll = () => show(-margin(), axis().end + margin());

function showStep(step) {
  const here = place(step), span = view.to - view.from;
  if (here < view.from + span * .08 || here > view.to - span * .08) show(here - span / 2, here + span / 2);
}

// A run of more steps opens where its first leader is elected.
const MANY = 300;
function aroundStep(step) {
  const first = place(Math.max(0, step - 25)), last = place(Math.min(run.count - 1, step + 75));
  show(first, last);
}

function zoom(factor, at = view.cursor >= 0 ? place(view.cursor) : (view.from + view.to) / 2) {
  const middle = Math.min(Math.max(at, view.from), view.to);
  show(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
}
const pan = part => { const by = (view.to - view.from) * part; show(view.from + by, view.to + by); };

function setAxis(name) {
  if (view.axis === name || (name === "time" && data.kind === "explored")) return;
  const first = Picture.stepAt(run, view.axis, view.from), last = Math.max(first, Picture.stepAt(run, view.axis, view.to) - 1);
  const whole = view.to - view.from >= axis().end;
  view.axis = name;
  if (whole) showAll(); else show(place(Math.min(first, run.count - 1)), place(Math.min(last, run.count - 1)));
}

function choose(step, arrow = -1, isFollowed = true) {
  [view.chosen, view.cursor, chosenArrow] = [step, step, arrow];
  if (step >= 0 && isFollowed) showStep(step);
  redraw();
  fillPanel();
}

function move(way) {
  const next = view.cursor < 0 ? Picture.stepAt(run, view.axis, view.from) : view.cursor + way;
  for (let step = next; step >= 0 && step < run.count; step += way) {
    if (run.lanes[run.lane[step]].kind === "world" || view.hiddenLanes.has(run.lane[step])) continue;
    return choose(step);
  }
}

function jumpTo(steps, way) {
  const here = view.cursor >= 0 ? view.cursor : Picture.stepAt(run, view.axis, way > 0 ? view.from : view.to);
  const next = way > 0 ? steps.find(step => step > here) : steps.filter(step => step < here).pop();
  if (next === undefined) return hint(way > 0 ? "none after this" : "none before this");
  choose(next);
}

const culprit = () => Picture.culprit(run);
function toViolation() {
  const step = culprit();
  if (step < 0) return;
  const last = place(data.violation[0]), first = place(Math.max(0, step - 70)), edge = (last - first) * .1;
  view.chosen = -1;
  show(step > 70 ? first : first - edge / 2, last + edge);
  choose(step);
}

// ---- the address ---------------------------------------------------------------------------------------------------

function fragment() {
  const part = { axis: view.axis, from: view.from, to: view.to };
  if (view.chosen >= 0) part.sel = run.number[view.chosen];
  else if (view.cursor >= 0) part.at = run.number[view.cursor];
  if (chosenArrow >= 0) part.arrow = chosenArrow;
  if (view.hiddenKinds.size) part.hide = [...view.hiddenKinds].join(",");
  if (view.hiddenLanes.size) part.lanes = [...view.hiddenLanes].join(",");
  if (query) part.q = query;
  return "#" + Object.entries(part).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

function goTo(address) {
  const part = Object.fromEntries(address.replace(/^#/, "").split("&").filter(Boolean).map(it => it.split("=").map(decodeURIComponent)));
  const number = name => /^-?\d{1,16}(\.\d{1,2})?$/.test(part[name] || "") ? Number(part[name]) : NaN;
  const index = (name, end) => Number.isInteger(number(name)) && number(name) >= 0 && number(name) < end ? number(name) : -1;
  view.axis = data.kind === "explored" ? "order" : part.axis === "order" ? "order" : "time";
  view.hiddenKinds = new Set((part.hide || "").split(",").filter(kind => run.kinds.some(it => it.name === kind)));
  view.hiddenLanes = new Set((part.lanes || "").split(",").filter(Boolean).map(Number).filter(lane => run.lanes[lane]));
  find($("search").value = part.q || "", false);
  [view.chosen, view.cursor, chosenArrow] = [-1, -1, -1];
  const stepOf = name => { const step = Picture.stepAt(run, "order", number(name)); return run.number[step] === number(name) ? step : -1; };
  const chosen = stepOf("sel"), hasWindow = Number.isFinite(number("from")) && Number.isFinite(number("to"));
  if (part.open === "violation" || (!address && data.violation)) toViolation();
  else if (hasWindow) show(number("from"), number("to"));
  else if (!address && run.count > MANY && run.leaders.length) aroundStep(run.leaders[0]);
  else showAll();
  if (chosen >= 0) choose(chosen, index("arrow", run.arrows.from.length), !hasWindow);
  else if (stepOf("at") >= 0) { view.cursor = stepOf("at"); if (!hasWindow) showStep(view.cursor); }
  fillFilters();
  fillPanel();
}

let addressTimer = 0;
function keepAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => { const now = fragment(); if (now !== location.hash) history.replaceState(null, "", now); }, 150);
}
addEventListener("hashchange", () => { if (location.hash !== fragment()) goTo(location.hash); });

// ---- drawing -------------------------------------------------------------------------------------------------------

let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; drawNow(); });
}

function drawNow() {
  view.width = Math.max(300, $("stage").clientWidth);
  view.height = printing ? 0 : $("stage").clientHeight - 2;
  drawn = Picture.draw(run, view);
  svg.setAttribute("viewBox", `0 0 ${view.width} ${drawn.height}`);
  svg.setAttribute("height", drawn.height);
  svg.classList.toggle("causal", drawn.causal);
  svg.innerHTML = drawn.svg;
  const { counts } = drawn;
  Object.assign(svg.dataset, { lanes: counts.lanes, arrows: counts.arrows, dots: counts.dots, haze: counts.haze, from: view.from, to: view.to });
  const steps = Picture.stepAt(run, view.axis, view.to) - Picture.stepAt(run, view.axis, view.from);
  $("status").textContent = `${number(Math.max(steps, 0))} of ${number(run.count)} steps · ` +
    (counts.haze ? "too many messages to tell apart: zoom in" : `${number(counts.arrows)} ${counts.arrows === 1 ? "message" : "messages"}`) +
    ` · ${view.axis === "time" ? `${clock(Math.max(0, view.from))} to ${clock(Math.min(view.to, run.end.time))}` : "one step after the other"}`;
  for (const name of ["time", "order"]) $(`axis-${name}`).setAttribute("aria-checked", view.axis === name);
  placeWindow();
  keepAddress();
}
const number = it => String(it).replace(/\B(?=(\d{3})+$)/g, "\u202f");

// The whole run in a strip: a row for each node in the colours of its roles, and how much happens.
function drawMap() {
  const canvas = $("map"), ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio; canvas.height = height * ratio;
  const pen = canvas.getContext("2d"), style = getComputedStyle(svg), colour = name => style.getPropertyValue(`--${name}`).trim();
  pen.scale(ratio, ratio);
  const x = value => mapLeft() + value / axis().end * (width - mapLeft() - 8);
  const nodes = run.lanes.map((lane, at) => ({ lane, at })).filter(it => it.lane.kind === "node"), row = Math.max(2, Math.min(8, (height - 18) / nodes.length));
  const top = new Map(nodes.map((it, place) => [it.at, place * row]));
  for (let span = 0; span < data.spans.length; span++) {
    const [lane, , , kind, label] = data.spans[span], role = words[kind] === "role" ? words[label].toLowerCase() : words[kind];
    if (!top.has(lane) || role === "follower") continue;
    pen.fillStyle = { leader: colour("leader-edge"), candidate: colour("vote"), precandidate: colour("prevote"), down: colour("bad"), paused: colour("soft") }[role] || colour("faint");
    const from = x(axis().spans.starts[span]), to = Math.min(x(axis().spans.ends[span]), width - 8);
    pen.fillRect(from, top.get(lane) + 1, Math.max(to - from, 1), row - 1.5);
  }
  const bins = new Uint32Array(Math.ceil(width)), base = height - 1;
  for (let step = 0; step < run.count; step++) bins[Math.max(0, Math.floor(x(place(step))))]++;
  const most = Math.max(1, ...bins);
  pen.fillStyle = colour("soft");
  bins.forEach((count, at) => { if (count) { const tall = Math.max(1, 14 * Math.sqrt(count / most)); pen.fillRect(at, base - tall, 1, tall); } });
  if (data.violation) { pen.fillStyle = colour("bad"); pen.fillRect(x(place(data.violation[0])) - 1, 0, 2, height); }
}
const mapLeft = () => 8;
function placeWindow() {
  const width = $("overview").clientWidth - mapLeft() - 8, x = value => mapLeft() + Math.max(0, Math.min(1, value / axis().end)) * width;
  $("window").style.left = `${x(view.from) - 2}px`;
  $("window").style.width = `${Math.max(4, x(view.to) - x(view.from) + 4)}px`;
}

// ---- what a thing is -----------------------------------------------------------------------------------------------

const html = Picture.escape;
// Times of one run in one unit.
const unit = run.end.time >= 1e7 ? ["ms", 1e6, 3] : run.end.time >= 1e4 ? ["µs", 1e3, 3] : ["ns", 1, 0];
const clock = at => `${(at / unit[1]).toFixed(unit[2])} ${unit[0]}`;
const moment = step => data.kind === "explored" ? `#${run.number[step]}` : `#${run.number[step]} at ${clock(run.at[step])}`;
const stepLink = step => `<button class="link" data-go="${step}">#${run.number[step]}</button>`;

// A value as a person reads it.
function value(it, name) {
  if (Array.isArray(it)) {
    if (["last", "after", "hint", "base", "through"].includes(name) && it.length === 2) return it[1] === 0 ? "nothing" : `index ${it[1]} of term ${it[0]}`;
    if (name === "runs" && it.every(run => Array.isArray(run) && run.length === 2)) return it.length ? it.map(([term, count]) => `${count} × t${term}`).join(", ") : "none";
    return it.length ? it.map(part => value(part)).join(", ") : "none";
  }
  if (it && typeof it === "object") return Object.entries(it).map(([key, part]) => `${key} ${value(part, key)}`).join("; ");
  if (["vote", "leader"].includes(name) && it === 0) return "nobody";
  return it === null ? "–" : String(it);
}
// A log by what stands where: `1–2 of t1, 3 of t4`.
function log(it) {
  if (!it || !Array.isArray(it.runs)) return value(it, "log");
  let index = Array.isArray(it.base) ? it.base[1] : 0;
  const parts = index > 0 ? [`1–${index} purged`] : [];
  for (const [term, count] of it.runs) { parts.push(`${count === 1 ? index + 1 : `${index + 1}–${index + count}`} of t${term}`); index += count; }
  return parts.join(", ") || "empty";
}
const field = (name, it) => name === "log" ? log(it) : value(it, name);

function table(fields, before) {
  const rows = Object.entries(fields).map(([name, it]) => {
    const now = field(name, it), was = before && name in before ? field(name, before[name]) : now;
    return `<tr class="${was === now ? "" : "changed"}"><th>${html(name)}</th><td>${was === now ? "" : `<s>${html(was)}</s> → `}${html(now)}</td></tr>`;
  });
  return `<table>${rows.join("")}</table>`;
}

function messageText(message) {
  const { kind, ...rest } = message;
  return `${html(kind || "message")} <span class="note">${html(Object.entries(rest).map(([name, it]) => `${name} ${value(it, name)}`).join(", "))}</span>`;
}

const laneName = id => { const lane = run.lanes.find(it => it.kind === "node" && it.id === id); return lane ? lane.name : `node ${id}`; };

function lineText([event, peer, message, fields]) {
  const name = words[event], rest = fields ? ` <span class="note">${html(Object.entries(fields).map(([key, it]) => `${key} ${value(it, key)}`).join(", "))}</span>` : "";
  if (message && /^(Send|Receive|Seal|Lost)/.test(name)) {
    const verb = /^Send/.test(name) ? "sends to" : /^Receive/.test(name) ? "takes from" : /^Lost/.test(name) ? "sends, and it is lost, to" : "holds back, until its disk has the write, for";
    return `${verb} ${html(laneName(peer))}: ${messageText(message)}${rest}`;
  }
  const told = { Wake: "time passed", Ready: "", Persisted: "its disk is through", Propose: "is offered commands", Read: "is asked for a read", Write: "writes", Commit: "may apply", Replicate: "puts the commands into its log", Refuse: "refuses", ReadReady: "answers the read", Timeout: "times out", InitState: "starts from what its disk holds" }[name];
  return told === "" ? "" : `${html(told || name)}${peer ? " " + html(laneName(peer)) : ""}${message ? " " + messageText(message) : ""}${rest}`;
}

function stepPanel(step) {
  const lane = run.lanes[run.lane[step]], all = detail(step), lines = all.filter(Array.isArray).map(lineText).filter(Boolean);
  const state = lane.kind === "node" ? stateAt(step) : null, before = state ? stepOnLane(step, run.lane[step], -1) : -1;
  let past = 0, future = 0, others = 0;
  for (let at = 0; at < run.count; at++) {
    if (at === step || run.lanes[run.lane[at]].kind === "world") continue;
    const it = Picture.relation(run, step, at);
    if (it === "past") past++; else if (it === "future") future++; else others++;
  }
  const gone = words[run.what[step]] === "Crash" && data.kind !== "explored";
  const mine = []; run.arrows.from.forEach((from, arrow) => { if (from === step || run.arrows.to[arrow] === step) mine.push(arrow); });
  const links = mine.slice(0, 12).map(arrow => `<li>${arrowLine(arrow, step)}</li>`).join("");
  return `<h2>${html(lane.name)} <span class="note">${html(moment(step))}</span></h2><ol>${lines.map(line => `<li>${line}</li>`).join("")}</ol>
<p><span class="past-word">${number(past)} ${past === 1 ? "step" : "steps"}</span> happened before it, <span class="future-word">${number(future)}</span> after it${others ? `; ${number(others)} ${others === 1 ? "knows" : "know"} nothing of it, nor it of ${others === 1 ? "that" : "them"}` : ""}. <button class="link" data-go="-1">let go</button></p>` +
    (links ? `<h3>messages</h3><ol>${links}</ol>` : "") +
    (state ? `<h3>${gone ? "its state before: what is not on its disk is lost" : `its state after this${before >= 0 ? "; what changed in bold" : ""}`}</h3>${table(state, before >= 0 ? stateAt(before) : null)}` : "");
}

function arrowLine(arrow, seen) {
  const { arrows } = run, from = arrows.from[arrow], to = arrows.to[arrow], brief = html(words[arrows.brief[arrow]]);
  const sender = run.lanes[arrows.fromLane[arrow]].name, receiver = run.lanes[arrows.toLane[arrow]].name;
  const end = to >= 0 ? `came at ${stepLink(to)}` : arrows.fate[arrow] === 1 ? `lost: ${html(words[arrows.why[arrow]])}` : "not seen to come";
  if (from === seen) return `${brief} to ${html(receiver)}, ${end}`;
  return `${brief} from ${html(sender)}, ${from >= 0 ? `sent at ${stepLink(from)}` : "its sending is not in the trace"}`;
}

function arrowPanel(arrow) {
  const { arrows } = run, from = arrows.from[arrow], to = arrows.to[arrow];
  const sender = run.lanes[arrows.fromLane[arrow]].name, receiver = run.lanes[arrows.toLane[arrow]].name, kind = words[arrows.kind[arrow]];
  const peer = run.lanes[from >= 0 ? arrows.toLane[arrow] : arrows.fromLane[arrow]].id;
  const holds = ([event, other, message]) => message && message.kind === kind && (to >= 0 || other === peer) && /^(Send|Receive|Lost)/.test(words[event]);
  const line = detail(to >= 0 ? to : from).filter(Array.isArray).find(holds), delay = to >= 0 && from >= 0 ? run.at[to] - run.at[from] : 0;
  return `<h2>${html(words[arrows.brief[arrow]])}</h2><p>${html(sender)} → ${html(receiver)}${arrows.copy[arrow] ? ", a second copy" : ""}</p><table>
<tr><th>sent</th><td>${from >= 0 ? `${stepLink(from)} ${html(moment(from))}` : "not in the trace"}</td></tr>
<tr><th>came</th><td>${to >= 0 ? `${stepLink(to)} ${html(moment(to))}` : arrows.fate[arrow] === 1 ? `lost: ${html(words[arrows.why[arrow]])}, ${html(clock(arrows.lostAt[arrow]))}` : "the trace does not say"}</td></tr>
${delay > 0 && data.kind !== "explored" ? `<tr><th>took</th><td>${html(Picture.time(delay, delay / 100))}</td></tr>` : ""}</table>` + (line ? `<h3>content</h3>${table(line[2])}` : "");
}

const mark = inner => `<svg class="picture ${theme}" viewBox="0 0 46 20">${inner}</svg>`;
function marksLegend() {
  return `<div class="marks">${Picture.marks(run).map(([inner, what]) => `${mark(inner)}<span>${html(what)}</span>`).join("")}</div>`;
}
function restPanel() {
  const notes = data.notes.map(note => `<p class="note">${html(note)}</p>`).join("");
  return `<h2>Click a step</h2><p>It shows what happened there and lights up <span class="past-word">all that led to it</span> and <span class="future-word">all that came of it</span>.</p>${marksLegend()}${notes}<h3>this page again</h3><code>${html(data.command)}</code>`;
}

function fillPanel() {
  const step = view.chosen;
  $("panel").innerHTML = chosenArrow >= 0 ? arrowPanel(chosenArrow) : step >= 0 ? stepPanel(step) : restPanel();
  $("panel").classList.toggle("rest", step < 0 && chosenArrow < 0);
  $("panel").scrollTop = 0;
  if (step >= 0 && chosenArrow < 0) say(`${run.lanes[run.lane[step]].name}, ${words[run.what[step]]}, ${moment(step)}`);
}
$("panel").addEventListener("click", event => { const go = event.target.dataset && event.target.dataset.go; if (go !== undefined) choose(Number(go)); });
const say = what => { $("live").textContent = what; };
const hint = what => { say(what); $("found").textContent = what; };

// ---- pointing ------------------------------------------------------------------------------------------------------

function pointed(event) {
  const box = svg.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top, reach = event.pointerType === "touch" ? 18 : 9;
  const where = Picture.layout(run, view), left = where.gutter, right = view.width - 8, scale = (right - left) / (view.to - view.from);
  const at = view.from + (x - left) / scale, toX = it => left + (it - view.from) * scale;
  if (x < left) return { at: view.from, x };
  let best = { far: reach };
  const first = Picture.stepAt(run, view.axis, at - reach / scale), last = Picture.stepAt(run, view.axis, at + reach / scale + (view.axis === "time" ? 1 : 0));
  for (let step = first; step < Math.min(last + 1, run.count, first + 4000); step++) {
    const row = where.rows[run.lane[step]];
    if (!row || run.lanes[run.lane[step]].kind !== "node") continue;
    const far = Math.hypot(toX(place(step)) - x, row.middle - y);
    if (far < best.far) best = { far, step };
  }
  if (best.step === undefined) {
    run.lanes.forEach((lane, number) => {
      const row = where.rows[number];
      if (!row || lane.kind !== "client" || Math.abs(y - row.middle) > row.height / 2) return;
      const it = Picture.within(axis().operations, at, at).find(operation => data.operations[operation][0] === number);
      if (it !== undefined) best = { far: 0, step: data.operations[it][1], operation: it };
    });
  }
  if (best.step === undefined && drawn && !drawn.counts.haze) {
    const pen = { run, where, axis: axis(), x: toX };
    for (const arrow of Picture.arrowsIn(run, view, where, axis())) {
      const { x1, y1, x2, y2 } = Picture.ends(pen, arrow), far = toSegment(x, y, x1, y1, x2, y2);
      if (far < best.far * .75) best = { far: far / .75, arrow };
    }
  }
  return { ...best, at, x, y };
}
function toSegment(x, y, x1, y1, x2, y2) {
  const dx = x2 - x1, dy = y2 - y1, part = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - part * dx, y - y1 - part * dy);
}

const pointers = new Map();
let drag = null;
svg.addEventListener("pointerdown", event => {
  if (event.button !== 0) return;
  pointers.set(event.pointerId, event);
  drag = { x: event.clientX, from: view.from, to: view.to, moved: false };
});
svg.addEventListener("pointermove", event => {
  const before = pointers.get(event.pointerId);
  if (!before) return hover(event);
  pointers.set(event.pointerId, event);
  const scale = (view.width - Picture.layout(run, view).gutter - 8);
  if (pointers.size === 2) {
    const [one, two] = [...pointers.values()], other = one.pointerId === event.pointerId ? two : one;
    const was = Math.abs(before.clientX - other.clientX), now = Math.abs(event.clientX - other.clientX);
    drag.moved = true;
    if (was > 8 && now > 8) zoom(was / now, pointed({ ...coordinates(event, other) }).at);
    return;
  }
  const by = event.clientX - drag.x;
  if (!drag.moved && Math.abs(by) < 5) return;
  if (!drag.moved) { drag.moved = true; svg.setPointerCapture(event.pointerId); svg.classList.add("dragging"); $("tip").hidden = true; }
  const moved = by / scale * (drag.to - drag.from);
  show(drag.from - moved, drag.to - moved);
});
const coordinates = (one, two) => ({ clientX: (one.clientX + two.clientX) / 2, clientY: (one.clientY + two.clientY) / 2, pointerType: "touch" });
function release(event) {
  const was = pointers.delete(event.pointerId);
  svg.classList.remove("dragging");
  if (!was || pointers.size > 0 || event.type === "pointercancel" || !drag || drag.moved) return;
  const it = pointed(event);
  if (it.arrow !== undefined) choose(run.arrows.to[it.arrow] >= 0 ? run.arrows.to[it.arrow] : run.arrows.from[it.arrow], it.arrow);
  else choose(it.step === undefined ? -1 : it.step);
}
for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, release);
svg.addEventListener("pointerleave", () => { $("tip").hidden = true; });
svg.addEventListener("wheel", event => {
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); return pan((event.deltaX || event.deltaY) / 900); }
  if (!event.ctrlKey && !event.altKey && $("stage").scrollHeight > $("stage").clientHeight + 4 && event.offsetX < 100) return;
  event.preventDefault();
  zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), pointed(event).at);
}, { passive: false });

function hover(event) {
  if (event.pointerType === "touch") return;
  const it = pointed(event), tip = $("tip"), some = it.step !== undefined || it.arrow !== undefined;
  svg.classList.toggle("over", some);
  tip.hidden = !some;
  if (!some) return;
  tip.textContent = it.arrow !== undefined ? arrowTip(it.arrow) : it.operation !== undefined ? operationTip(it.operation) : stepTip(it.step);
  tip.style.left = `${Math.min(it.x + 14, view.width - 350 < 0 ? 8 : view.width - 350)}px`;
  tip.style.top = `${it.y + 16}px`;
}
function stepTip(step) {
  const plain = it => it.replace(/<[^>]*>/g, "").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&");
  const lines = detail(step).filter(Array.isArray).map(lineText).filter(Boolean).map(plain), state = stateAt(step);
  const short = state && state.role && words[run.what[step]] !== "Crash" ? `\n${state.role} t${state.term}, commit ${state.commit}, log ${log(state.log)}` : "";
  return `${run.lanes[run.lane[step]].name} ${moment(step)}\n${lines.slice(0, 5).join("\n")}${lines.length > 5 ? `\n… ${lines.length - 5} more` : ""}${short}`;
}
function arrowTip(arrow) {
  const { arrows } = run, to = arrows.to[arrow], from = arrows.from[arrow];
  const end = to >= 0 ? (from >= 0 && data.kind !== "explored" ? `took ${Picture.time(run.at[to] - run.at[from], Math.max(1, (run.at[to] - run.at[from]) / 100))}` : "came") : arrows.fate[arrow] === 1 ? `lost: ${words[arrows.why[arrow]]}` : "not seen to come";
  return `${words[arrows.brief[arrow]]}\n${run.lanes[arrows.fromLane[arrow]].name} → ${run.lanes[arrows.toLane[arrow]].name}, ${end}`;
}
function operationTip(at) {
  const [lane, from, to, asked, status] = data.operations[at];
  return `${run.lanes[lane].name}: ${words[asked]}\n${words[status] || "open at the end"}${to >= 0 ? ` after ${Picture.time(run.at[to] - run.at[from], Math.max(1, (run.at[to] - run.at[from]) / 100))}` : ""}`;
}

// The strip: where one presses, there one is.
const overview = $("overview");
function toStrip(event) {
  const box = overview.getBoundingClientRect(), at = (event.clientX - box.left - mapLeft()) / (box.width - mapLeft() - 8) * axis().end, half = (view.to - view.from) / 2;
  show(at - half, at + half);
}
overview.addEventListener("pointerdown", event => { overview.setPointerCapture(event.pointerId); if (view.to - view.from >= axis().end) { zoom(.2); } toStrip(event); });
overview.addEventListener("pointermove", event => { if (overview.hasPointerCapture(event.pointerId)) toStrip(event); });

// ---- finding, filtering, playing -----------------------------------------------------------------------------------

function find(wanted, go = true) {
  query = wanted.trim();
  [found, foundAt] = [[], -1];
  if (query) {
    const needles = query.toLowerCase().split(/\s+/).map(word => {
      const pair = /^([\w.]+)[=:](.+)$/.exec(word);
      return pair ? [`"${pair[1]}":${pair[2]}`, `"${pair[1]}":"${pair[2]}`] : [word];
    });
    const named = needles.map(any => new Set(words.map((word, at) => any.some(it => word.toLowerCase().includes(it)) ? at : -1).filter(at => at >= 0)));
    for (let step = 0; step < run.count; step++) {
      const lower = detailText(step).toLowerCase();
      const holds = needles.every((any, at) => any.some(it => holdsWhole(lower, it)) || (named[at].size > 0 && eventsOf(lower).some(event => named[at].has(event))));
      if (holds) found.push(step);
    }
  }
  view.matches = found.length > 400 ? [] : found;
  if (go && found.length) nextFound(1); else { $("found").textContent = foundText(); redraw(); }
}
// A number in a pair must end where it ends: term=3 is not term=31.
function holdsWhole(text, needle) {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    if (needle[0] !== '"' || !/[\w]/.test(text[at + needle.length] || "")) return true;
  }
  return false;
}
const eventsOf = lower => [...lower.matchAll(/(?:^\[|\],|\},)\[(\d+),/g)].map(it => Number(it[1]));
function nextFound(way) {
  if (!found.length) return;
  const here = view.cursor;
  foundAt = way > 0 ? found.findIndex(step => step > here) : found.findLastIndex(step => step < here);
  if (foundAt < 0) foundAt = way > 0 ? 0 : found.length - 1;
  choose(found[foundAt]);
  $("found").textContent = foundText();
}
const foundText = () => !query ? "" : found.length === 0 ? "nothing" : foundAt < 0 ? `${number(found.length)} found` : `${foundAt + 1} of ${number(found.length)}`;
$("search").addEventListener("input", event => find(event.target.value, false));
$("search").addEventListener("keydown", event => {
  if (event.key === "Enter") nextFound(event.shiftKey ? -1 : 1);
  if (event.key === "Escape") { event.target.value = ""; find("", false); svg.focus(); }
  event.stopPropagation();
});

function fillFilters() {
  const kinds = run.kinds.map(kind => `<label><input type="checkbox" data-kind="${html(kind.name)}" ${view.hiddenKinds.has(kind.name) ? "" : "checked"}><span class="swatch" style="color:var(--${kind.family})"></span>${html(kind.name)} <span class="note">${number(kind.count)}</span></label>`);
  const lanes = run.lanes.map((lane, at) => lane.kind === "world" ? "" : `<label><input type="checkbox" data-lane="${at}" ${view.hiddenLanes.has(at) ? "" : "checked"}>${html(lane.name)}</label>`);
  $("filters").innerHTML = kinds.join("") + lanes.join("");
}
$("filters").addEventListener("change", ({ target }) => {
  const [set, it] = target.dataset.kind !== undefined ? [view.hiddenKinds, target.dataset.kind] : [view.hiddenLanes, Number(target.dataset.lane)];
  target.checked ? set.delete(it) : set.add(it);
  redraw();
});

function play(on = !playing) {
  cancelAnimationFrame(playing);
  playing = 0;
  $("play").setAttribute("aria-pressed", on);
  $("play").textContent = on ? "pause" : "play";
  if (!on) return;
  let last = performance.now(), at = view.cursor >= 0 ? place(view.cursor) : Math.max(0, view.from);
  view.chosen = -1;
  const tick = now => {
    const span = view.to - view.from;
    at += span * (now - last) / 9000;
    last = now;
    if (at >= axis().end) { view.cursor = run.count - 1; fillPanel(); redraw(); return play(false); }
    view.cursor = Math.max(0, Picture.stepAt(run, view.axis, at) - 1);
    if (at > view.from + span * .7) show(at - span * .7, at + span * .3); else redraw();
    playing = requestAnimationFrame(tick);
  };
  playing = requestAnimationFrame(tick);
}

// ---- keys and buttons ----------------------------------------------------------------------------------------------

const acts = {
  "leader-before": () => jumpTo(run.leaders, -1), "leader-next": () => jumpTo(run.leaders, 1), violation: toViolation,
  "step-before": () => move(-1), "step-next": () => move(1), play: () => play(), in: () => zoom(.6), out: () => zoom(1 / .6), all: showAll,
  "axis-time": () => { setAxis("time"); drawMap(); }, "axis-order": () => { setAxis("order"); drawMap(); },
  filter: () => { const open = $("filters").hidden; $("filters").hidden = !open; $("filter").setAttribute("aria-expanded", open); redraw(); },
  theme: () => setTheme({ "": "dark", dark: "light", light: "" }[theme]), save, help: () => $("keys").showModal(),
};
for (const [id, act] of Object.entries(acts)) $(id).addEventListener("click", act);

const keys = {
  ArrowLeft: () => pan(-.15), ArrowRight: () => pan(.15), "+": acts.in, "=": acts.in, "-": acts.out, 0: showAll, ",": () => move(-1), ".": () => move(1),
  l: acts["leader-next"], L: acts["leader-before"], v: toViolation, " ": acts.play, t: acts["axis-time"], o: acts["axis-order"], "/": () => $("search").focus(),
  n: () => nextFound(1), N: () => nextFound(-1), f: acts.filter, "?": acts.help, Escape: () => choose(-1), Home: () => { choose(-1); const span = view.to - view.from; show(0, span); }, End: () => { choose(-1); const span = view.to - view.from; show(axis().end - span, axis().end); },
  p: () => { const arrow = run.arrows.to.indexOf(view.cursor); if (arrow >= 0 && run.arrows.from[arrow] >= 0) choose(run.arrows.from[arrow]); },
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName) || $("keys").open) return;
  if (event.target.tagName === "BUTTON" && [" ", "Enter"].includes(event.key)) return;
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

function setTheme(name) {
  theme = name;
  for (const it of [document.body, svg]) { it.classList.toggle("dark", name === "dark"); it.classList.toggle("light", name === "light"); }
  $("theme").textContent = name || "theme";
  drawMap();
  fillLegend();
  if (view.chosen < 0) fillPanel();
}

function save() {
  const alone = `<svg xmlns="http://www.w3.org/2000/svg" class="picture ${theme} ${drawn.causal ? "causal" : ""}" viewBox="0 0 ${view.width} ${drawn.height}" width="${view.width}" height="${drawn.height}"><style>${html(document.querySelector("style").textContent.split("* { box-sizing")[0])}</style>${drawn.svg}</svg>`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([alone], { type: "image/svg+xml" }));
  link.download = `${data.title.replace(/\W+/g, "-").toLowerCase()}.svg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function fillLegend() {
  const keyRows = [["← →", "move"], ["+ −", "zoom; the wheel does it too"], ["0", "all of it"], [", .", "step before, next step"], ["p", "to the sender of what came here"], ["l L", "next leader change, the one before"], ["v", "to what broke"], ["space", "play"], ["t o", "by time, by order of steps"], ["/ n N", "find, next, before; term=3 finds a field"], ["f", "filter"], ["Esc", "let go"]];
  $("legend").innerHTML = `<h2>Keys</h2><div class="marks">${keyRows.map(([key, what]) => `<kbd>${key}</kbd><span>${what}</span>`).join("")}</div><h2>Marks</h2>${marksLegend()}<p class="note">The address always names this view: copy it to show somebody the same.</p>`;
}

// ---- begin ---------------------------------------------------------------------------------------------------------

$("story").innerHTML = data.story.map(sentence => `<p>${html(sentence)}</p>`).join("");
$("violation").hidden = !data.violation;
$("axis-time").disabled = data.kind === "explored";
for (const id of ["leader-before", "leader-next"]) $(id).hidden = run.leaders.length === 0;
fillLegend();
goTo(location.hash || (data.open ? `#${data.open}` : ""));
drawNow();
drawMap();
new ResizeObserver(() => { redraw(); drawMap(); }).observe($("stage"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
addEventListener("beforeprint", () => { printing = true; drawNow(); });
addEventListener("afterprint", () => { printing = false; drawNow(); });
document.body.dataset.ready = Math.round(performance.now() - opened);
