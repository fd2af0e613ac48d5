"use strict";
// Draws a part of a run as SVG text. Touches no document, so that the same lines draw on a page and in a file.
// A run is what `prepare` makes of the page's data; a view says which part of it is seen, and how.
const Picture = (() => {
  const GAP = 10, BAND = 36, MIDDLE = 13, DISK = 14, STAIRS = 26, CLIENT = 20, TOP = 34, BOTTOM = 22;
  // More marks than these are drawn as haze: one path for all of a kind.
  const MOST_ARROWS = 700, MOST_DOTS = 1200, MOST_OPERATIONS = 300, MOST_WRITES = 400, MOST_HAZE = 1500, MOST_LABELS = 70;

  // ---- the run -------------------------------------------------------------------------------------------------

  function prepare(data) {
    const count = data.lane.length;
    const sums = list => { const all = new Float64Array(count); for (let step = 0, sum = 0; step < count; step++) all[step] = sum += list[step]; return all; };
    const at = sums(data.at), number = sums(data.number);
    const run = {
      data, count, at, number, lane: Uint16Array.from(data.lane), what: data.what, words: data.words, lanes: data.lanes,
      arrows: data.arrows, end: { time: Math.max(at[count - 1] || 0, 1), order: Math.max(number[count - 1] || 0, 2) },
    };
    run.delay = typicalDelay(run);
    run.axes = { time: along(run, "time"), order: along(run, "order") };
    run.stairs = stairs(run);
    run.kinds = kinds(run);
    run.families = data.words.map(family);
    run.nodesBefore = nodesBefore(run);
    run.commands = new Map(data.commands);
    run.leaders = data.spans.filter(span => run.words[span[4]] === "Leader").map(span => span[1]);
    return run;
  }

  // The middle delay of messages that came: how far those are drawn that did not.
  function typicalDelay(run) {
    const { from, to } = run.arrows, delays = [], orders = [];
    for (let arrow = 0; arrow < from.length && delays.length < 999; arrow++) {
      if (from[arrow] < 0 || to[arrow] < 0) continue;
      delays.push(run.at[to[arrow]] - run.at[from[arrow]]);
      orders.push(run.number[to[arrow]] - run.number[from[arrow]]);
    }
    const middle = list => list.sort((a, b) => a - b)[list.length >> 1];
    return { time: middle(delays) || run.end.time / 50, order: Math.min(middle(orders) || 2, 4) };
  }

  // Where everything is along one axis: time, or the order of steps.
  function along(run, axis) {
    const time = axis === "time", { data } = run, place = step => time ? run.at[step] : run.number[step], end = run.end[axis];
    const { arrows } = data, count = arrows.from.length;
    const starts = new Float64Array(count), ends = new Float64Array(count);
    for (let arrow = 0; arrow < count; arrow++) {
      const from = arrows.from[arrow], to = arrows.to[arrow], delay = run.delay[axis];
      starts[arrow] = from < 0 ? place(to) - delay : place(from);
      if (to >= 0) ends[arrow] = place(to);
      else if (arrows.fate[arrow] === 1) ends[arrow] = Math.max(time ? arrows.lostAt[arrow] : arrows.lostNumber[arrow], starts[arrow] + delay * .6);
      else ends[arrow] = starts[arrow] + delay * .8;
    }
    const spans = rows => ({
      starts: Float64Array.from(rows, row => place(row[1])),
      ends: Float64Array.from(rows, row => row[2] < 0 ? end * 2 : place(row[2])),
    });
    const indexed = it => ({ ...it, index: index(it.starts, it.ends, end) });
    return {
      place, end, arrows: indexed({ starts, ends }), spans: indexed(spans(data.spans)),
      writes: indexed(spans(data.writes)), operations: indexed(spans(data.operations)),
    };
  }

  // Intervals by buckets, so that those in view are found without looking at all.
  function index(starts, ends, end) {
    const buckets = Math.max(1, Math.min(2048, starts.length)), width = end / buckets;
    const bucket = x => Math.max(0, Math.min(buckets - 1, Math.floor(x / width)));
    const offsets = new Uint32Array(buckets + 1);
    const each = act => { for (let it = 0; it < starts.length; it++) for (let at = bucket(starts[it]), last = bucket(ends[it]); at <= last; at++) act(at, it); };
    each(at => offsets[at + 1]++);
    for (let at = 0; at < buckets; at++) offsets[at + 1] += offsets[at];
    const items = new Uint32Array(offsets[buckets]), next = offsets.slice();
    each((at, it) => { items[next[at]++] = it; });
    return { bucket, offsets, items, seen: new Uint32Array(starts.length), round: 0 };
  }

  // The intervals that reach into [from, to], in their order.
  function within({ starts, ends, index: it }, from, to) {
    const found = [], first = it.bucket(from), last = it.bucket(to), round = ++it.round;
    let before = -1, inOrder = true;
    for (let at = it.offsets[first]; at < it.offsets[last + 1]; at++) {
      const item = it.items[at];
      if (it.seen[item] === round || starts[item] > to || ends[item] < from) continue;
      it.seen[item] = round;
      found.push(item);
      inOrder = inOrder && item > before;
      before = item;
    }
    return inOrder ? found : found.sort((a, b) => a - b);
  }

  // The first step at or behind x.
  function stepAt(run, axis, x) {
    const places = axis === "order" ? run.number : run.at;
    let low = 0, high = run.count;
    while (low < high) { const middle = (low + high) >> 1; if (places[middle] < x) low = middle + 1; else high = middle; }
    return low;
  }

  function stairs(run) {
    const all = run.lanes.map(() => ({ steps: [], values: [] }));
    for (const [lane, step, value] of run.data.commits) { all[lane].steps.push(step); all[lane].values.push(value); }
    all.most = run.data.commits.reduce((most, commit) => Math.max(most, commit[2]), 1);
    return all;
  }

  function kinds(run) {
    const counts = new Map();
    for (const kind of run.arrows.kind) counts.set(kind, (counts.get(kind) || 0) + 1);
    return [...counts].map(([word, count]) => ({ word, name: run.words[word], count, family: family(run.words[word]) }))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  // How many steps of nodes stand before each step.
  function nodesBefore(run) {
    const before = new Uint32Array(run.count + 1), isNode = run.lanes.map(lane => lane.kind === "node" ? 1 : 0);
    for (let step = 0; step < run.count; step++) before[step + 1] = before[step] + isNode[run.lane[step]];
    return before;
  }

  function family(kind) {
    if (/^PreVote/.test(kind)) return "prevote";
    if (/Vote/.test(kind)) return "vote";
    if (/^(Append|Conflict|Outdated)/.test(kind)) return "append";
    return /^Heartbeat/.test(kind) ? "heartbeat" : "other";
  }
  const isAnswer = kind => /(Reply|ed|Conflict|Response|Answer)$/.test(kind);

  // ---- what happened before what -------------------------------------------------------------------------------

  // Vector clocks, a row for each step; made once, when first asked for.
  function clocks(run) {
    if (run.clocks) return run.clocks;
    const lanes = run.lanes.length, rows = new Uint32Array(run.count * lanes), last = new Int32Array(lanes).fill(-1);
    const own = new Uint32Array(run.count), causes = new Map();
    const cause = (from, to) => { if (from >= 0 && to >= 0 && from < to) causes.has(to) ? causes.get(to).push(from) : causes.set(to, [from]); };
    run.arrows.from.forEach((from, arrow) => cause(from, run.arrows.to[arrow]));
    run.data.links.forEach(([from, to]) => cause(from, to));
    for (let step = 0; step < run.count; step++) {
      const row = step * lanes, lane = run.lane[step];
      const take = from => { for (let at = 0; at < lanes; at++) rows[row + at] = Math.max(rows[row + at], rows[from * lanes + at]); };
      if (last[lane] >= 0) take(last[lane]);
      (causes.get(step) || []).forEach(take);
      own[step] = ++rows[row + lane];
      last[lane] = step;
    }
    return run.clocks = { before: (first, second) => first !== second && rows[second * lanes + run.lane[first]] >= own[first] };
  }

  // "past", "future", "self" or "" of a step, seen from the chosen one.
  function relation(run, chosen, step) {
    if (chosen < 0 || step < 0) return "";
    if (step === chosen) return "self";
    const { before } = clocks(run);
    return before(step, chosen) ? "past" : before(chosen, step) ? "future" : "";
  }

  // ---- where things stand --------------------------------------------------------------------------------------

  // Rows from the top: the network, clients, nodes. Hidden lanes have none.
  function layout(run, view) {
    const rows = new Array(run.lanes.length).fill(null);
    let y = TOP;
    const cuts = run.data.spans.some(span => run.words[span[3]] === "cut");
    const add = (kind, height) => run.lanes.forEach((lane, at) => {
      if (lane.kind !== kind || view.hiddenLanes.has(at)) return;
      rows[at] = { top: y, middle: y + height / 2, height };
      y += height + (kind === "client" ? 2 : GAP);
    });
    if (cuts || run.data.violation) add("world", 18);
    add("client", CLIENT);
    if (run.lanes.some((lane, at) => lane.kind === "client" && rows[at])) y += GAP;
    const disks = run.data.writes.length > 0, steps = run.data.commits.length > 0;
    const height = BAND + (disks ? DISK : 0) + (steps ? STAIRS : 0);
    const nodes = run.lanes.filter((lane, at) => lane.kind === "node" && !view.hiddenLanes.has(at)).length;
    // What is left of the height goes between the nodes, where the messages are.
    const spare = ((view.height || 0) - y - BOTTOM - nodes * height) / Math.max(1, nodes), gap = view.gap || Math.max(2 * GAP, Math.min(150, spare));
    run.lanes.forEach((lane, at) => {
      if (lane.kind !== "node" || view.hiddenLanes.has(at)) return;
      rows[at] = { top: y, middle: y + MIDDLE, height, disk: disks ? y + BAND + 3 : 0, stairs: steps ? y + BAND + (disks ? DISK : 0) + 2 : 0 };
      y += height + gap;
    });
    return { rows, height: Math.round(y - gap + GAP + BOTTOM), gutter: view.width < 560 ? 64 : 128 };
  }

  const escape = text => String(text).replace(/[&<>"]/g, it => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[it]);
  const round = x => Math.round(x * 10) / 10;

  // ---- the drawing ---------------------------------------------------------------------------------------------

  // What is seen, as SVG, and how much of what it holds.
  function draw(run, view) {
    const where = layout(run, view), axis = run.axes[view.axis];
    const left = where.gutter, right = view.width - 8, scale = (right - left) / (view.to - view.from);
    const x = value => left + (value - view.from) * scale;
    const pen = { run, view, where, axis, left, right, x, clip: value => Math.max(left, Math.min(right, x(value))), counts: { lanes: 0, arrows: 0, dots: 0, haze: false } };
    const inside = [drawSpans(pen), drawOperations(pen), drawWrites(pen), drawStairs(pen), drawArrows(pen), drawDots(pen), drawMarks(pen)];
    const svg = `<defs><clipPath id="clip"><rect x="${left}" y="0" width="${right - left}" height="${where.height}"/></clipPath>
<pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V8"/></pattern>
<pattern id="dots" width="8" height="8" patternUnits="userSpaceOnUse"><circle class="hatch-dot" cx="4" cy="4" r="1.2"/></pattern></defs>
<rect class="paper" width="${view.width}" height="${where.height}"/>${drawAxis(pen)}${drawLanes(pen)}<g clip-path="url(#clip)">${inside.join("")}</g>${drawGutter(pen)}`;
    return { svg, height: where.height, counts: pen.counts, causal: view.chosen >= 0 };
  }

  function drawLanes({ where, left, right, counts }) {
    return where.rows.map((row, lane) => {
      if (!row) return "";
      counts.lanes++;
      return `<g class="lane" data-lane="${lane}"><path class="line" d="M${left} ${row.middle}H${right}"/></g>`;
    }).join("");
  }

  // Roles, crashes and pauses behind a lane; cuts in the network's row.
  function drawSpans({ run, view, axis, where, clip }) {
    const parts = [], cuts = [];
    for (const at of within(axis.spans, view.from, view.to)) {
      const [lane, , , kindWord, label, term] = run.data.spans[at], row = where.rows[lane], kind = run.words[kindWord];
      if (!row) continue;
      const from = clip(axis.spans.starts[at]), to = clip(axis.spans.ends[at]), width = Math.max(to - from, 1);
      if (kind === "cut") { cuts.push([from, width, run.words[label], row]); continue; }
      if (kind !== "role") {
        parts.push(`<rect class="${kind}" x="${round(from)}" y="${row.top}" width="${round(width)}" height="${BAND}"><title>${kind}</title></rect>`);
        if (width > 44) parts.push(`<text class="soft still" x="${round(from + 5)}" y="${row.top + BAND - 4}">${kind}</text>`);
        continue;
      }
      const role = run.words[label], known = ["Follower", "PreCandidate", "Candidate", "Leader"].includes(role);
      parts.push(`<rect class="${known ? role : "role-other"}" x="${round(from)}" y="${row.top}" width="${round(width)}" height="${BAND}"/>`);
      if (role === "Leader") parts.push(`<path class="edge" d="M${round(from)} ${row.top + 1.5}h${round(width)}"/>`);
      if (role === "Candidate") parts.push(`<path class="edge-candidate" d="M${round(from)} ${row.top + 1}h${round(width)}"/>`);
      const text = (role === "PreCandidate" ? "pre-candidate" : role.toLowerCase()) + (term < 0 ? "" : ` t${term}`);
      if (width > 7 * text.length) parts.push(`<text class="soft" x="${round(from + 4)}" y="${row.top + BAND - 4}">${escape(text)}</text>`);
      else if (width > 26 && term >= 0) parts.push(`<text class="soft" x="${round(from + 3)}" y="${row.top + BAND - 4}">t${term}</text>`);
    }
    for (const [from, width, label, row] of cuts) {
      parts.push(`<path class="cut" d="M${round(from)} ${row.top + 3}v12M${round(from)} ${row.top + 9}h${round(width)}"><title>${escape(label)}</title></path>`);
      if (width > 6 * label.length) parts.push(`<text class="soft still" x="${round(from + 6)}" y="${row.top + 7}">${escape(label)}</text>`);
    }
    return parts.join("");
  }

  function drawOperations(pen) {
    const { run, view, axis, where, clip } = pen, found = within(axis.operations, view.from, view.to);
    if (found.length > MOST_OPERATIONS) return denseOperations(pen, found);
    return found.map(at => {
      const [lane, from, , asked, status] = run.data.operations[at], row = where.rows[lane];
      if (!row) return "";
      const start = clip(axis.operations.starts[at]), width = Math.max(clip(axis.operations.ends[at]) - start, 2);
      const state = run.words[status] || "Open", text = `${run.words[asked]}${state === "Done" ? "" : " · " + state.toLowerCase()}`;
      const room = Math.floor((width - 9) / 6.3), shown = room >= text.length ? text : room > 3 ? text.slice(0, room - 1) + "…" : "";
      const label = shown ? `<text class="soft" x="${round(start + 5)}" y="${row.middle + 4}">${escape(shown)}</text>` : "";
      return `<rect class="operation ${escape(state)} ${relation(run, view.chosen, from)}" data-step="${from}" x="${round(start)}" y="${row.top + 1}" width="${round(width)}" height="${CLIENT - 3}" rx="5"><title>${escape(text)}</title></rect>${label}`;
    }).join("");
  }

  // Too many to tell apart: bands without rims, of what ended alike and leaves no room between.
  function denseOperations({ run, axis, where, clip }, found) {
    const paths = {}, open = run.lanes.map(() => null);
    const close = (band, lane) => {
      if (band) paths[band.state] = (paths[band.state] || "") + `M${band.from} ${where.rows[lane].top + 1}h${Math.max(1, band.to - band.from)}v${CLIENT - 3}h${-Math.max(1, band.to - band.from)}Z`;
    };
    for (const at of found) {
      const [lane, , , , status] = run.data.operations[at], state = run.words[status] || "Open", band = open[lane];
      if (!where.rows[lane]) continue;
      const from = Math.round(clip(axis.operations.starts[at])), to = Math.round(clip(axis.operations.ends[at]));
      if (band && band.state === state && from >= band.from && from <= band.to) { band.to = Math.max(band.to, to); continue; }
      close(band, lane);
      open[lane] = { state, from, to };
    }
    open.forEach(close);
    return Object.entries(paths).map(([state, path]) => `<path class="${escape(state)}" d="${path}"/>`).join("");
  }

  function drawWrites({ run, view, axis, where, x, clip }) {
    const found = within(axis.writes, view.from, view.to), dense = found.length > MOST_WRITES, parts = [];
    if (dense) {
      const marks = columns(view);
      for (const at of found) marks.add(run.data.writes[at][0], clip(axis.writes.starts[at]));
      return `<path class="write haze" d="${marks.path(lane => where.rows[lane] && `${where.rows[lane].disk}v8`)}"/>`;
    }
    for (const at of found) {
      const [lane, from, , fate] = run.data.writes[at], row = where.rows[lane], lost = fate === "lost" || fate === "torn";
      if (!row) continue;
      const start = x(axis.writes.starts[at]), end = clip(axis.writes.ends[at]), y = row.disk + 4, related = relation(run, view.chosen, from);
      const synced = fate === "synced" || fate === "survived" ? `M${round(end)} ${y - 4}v8` : "";
      parts.push(`<path class="write ${lost ? "write-lost" : ""} ${related}" d="M${round(start)} ${y}H${round(end)}${synced}"/><rect class="write-at ${related}" x="${round(start - 2.5)}" y="${y - 2.5}" width="5" height="5"/>`);
      if (lost) parts.push(cross(end, y, 3.5));
      if (fate === "torn") parts.push(`<text class="soft still" x="${round(end + 7)}" y="${y + 4}">torn</text>`);
    }
    return parts.join("");
  }

  // Marks of lanes, one for each column of pixels.
  function columns(view) {
    const lanes = new Map(), width = Math.ceil(view.width) + 1;
    return {
      add(lane, x) {
        if (!lanes.has(lane)) lanes.set(lane, new Uint8Array(width));
        lanes.get(lane)[Math.round(x)] = 1;
      },
      path(rest) {
        let path = "";
        for (const [lane, marked] of lanes) {
          const there = rest(lane);
          if (there) marked.forEach((mark, x) => { if (mark) path += `M${x} ${there}`; });
        }
        return path;
      },
    };
  }

  // The commit index of each lane, as a staircase.
  function drawStairs({ run, view, axis, where, left, x, clip }) {
    return run.stairs.map(({ steps, values }, lane) => {
      const row = where.rows[lane];
      if (!row || !row.stairs || steps.length === 0) return "";
      const bottom = row.stairs + STAIRS - 2, height = value => round(bottom - (STAIRS - 4) * value / run.stairs.most);
      let low = 0, high = steps.length;
      while (low < high) { const middle = (low + high) >> 1; if (axis.place(steps[middle]) <= view.from) low = middle + 1; else high = middle; }
      let path = `M${left} ${height(low > 0 ? values[low - 1] : 0)}`, last = -9;
      for (let at = low; at < steps.length && axis.place(steps[at]) <= view.to; at++) {
        const here = x(axis.place(steps[at]));
        if (here - last < .7 && at + 1 < steps.length) continue;
        path += `H${round(here)}V${height(values[at])}`;
        last = here;
      }
      const end = round(clip(axis.end));
      return `<path class="under" d="${path}H${end}V${bottom}H${left}Z"/><path class="stairs" d="${path}H${end}"/>`;
    }).join("");
  }

  // The arrows in view, but for hidden kinds and lanes.
  function arrowsIn(run, view, where, axis) {
    const { arrows } = run;
    return within(axis.arrows, view.from, view.to).filter(arrow =>
      !view.hiddenKinds.has(run.words[arrows.kind[arrow]]) && where.rows[arrows.fromLane[arrow]] && where.rows[arrows.toLane[arrow]]);
  }

  // Both ends of an arrow. One that did not come ends on its way.
  function ends({ run, where, axis, x }, arrow) {
    const { arrows } = run, y1 = where.rows[arrows.fromLane[arrow]].middle, y2 = where.rows[arrows.toLane[arrow]].middle;
    const line = { x1: x(axis.arrows.starts[arrow]), y1, x2: x(axis.arrows.ends[arrow]), y2 };
    const part = arrows.to[arrow] >= 0 ? 1 : arrows.fate[arrow] === 1 ? (arrows.near[arrow] ? .86 : .62) : .5;
    return { ...line, y2: y1 + (y2 - y1) * part };
  }

  function drawArrows(pen) {
    const { run, view, where, axis, counts } = pen, { arrows } = run;
    const found = arrowsIn(run, view, where, axis);
    if (found.length > MOST_ARROWS) return haze(pen, found);
    counts.arrows = found.length;
    const parts = [], labels = [], labelled = found.length <= MOST_LABELS;
    for (const arrow of found) {
      const { x1, y1, x2, y2 } = ends(pen, arrow), kind = run.words[arrows.kind[arrow]];
      const from = arrows.from[arrow], to = arrows.to[arrow], fate = arrows.fate[arrow];
      const first = relation(run, view.chosen, from), second = to >= 0 ? relation(run, view.chosen, to) : first;
      const related = second === "past" || (second === "self" && view.chosen !== from) ? "past" : first === "future" || first === "self" ? "future" : "";
      const classes = `arrow k-${run.families[arrows.kind[arrow]]}${isAnswer(kind) ? " answer" : ""}${fate ? " lost" : ""} ${related}`;
      const head = fate === 0 ? tip(x1, y1, x2, y2) : "";
      parts.push(`<path class="${classes}" data-arrow="${arrow}" d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}${head}"/>`);
      if (fate === 1) parts.push(cross(x2, y2, 4.5, related));
      const length = Math.hypot(x2 - x1, y2 - y1);
      if (labelled && length > 40) labels.push({ x1, y1, x2, y2, related, text: run.words[arrows.brief[arrow]] + (arrows.copy[arrow] ? " ×2" : "") });
    }
    return parts.join("") + drawLabels(labels, view, where);
  }

  // Labels where they fall on no other; what belongs to the chosen step comes first.
  function drawLabels(labels, view, where) {
    const weight = it => it.related ? 0 : 1, rows = where.rows.filter(Boolean);
    const taken = rows.map(row => ({ x: 0, y: row.middle + 6, width: view.width })), free = box => taken.every(it => box.x > it.x + it.width || it.x > box.x + box.width || Math.abs(box.y - it.y) > 12);
    return labels.sort((a, b) => weight(a) - weight(b)).map(({ x1, y1, x2, y2, related, text }) => {
      for (const at of [.3, .5, .68, .18]) {
        const box = { x: x1 + (x2 - x1) * at + 5, y: y1 + (y2 - y1) * at + 4, width: text.length * 6 };
        if (box.x < where.gutter || box.x + box.width > view.width - 8 || !free(box)) continue;
        taken.push(box);
        return `<text class="label ${related}" x="${round(box.x)}" y="${round(box.y)}">${escape(text)}</text>`;
      }
      return "";
    }).join("");
  }

  // Too many to tell apart: one thin path for each family, without what would fall onto the same spot.
  function haze(pen, found) {
    const { run, counts } = pen, { arrows } = run, paths = {}, seen = new Set();
    // Of very many every second, fourth, …: the same ones wherever the window stands.
    let stride = 1;
    while (found.length / stride > 3 * MOST_HAZE) stride *= 2;
    counts.haze = true;
    const rank = ["vote", "prevote", "append", "other", "heartbeat"];
    const lists = { vote: [], prevote: [], append: [], other: [], heartbeat: [] };
    for (const arrow of found) {
      const name = run.families[arrows.kind[arrow]];
      if (arrow % stride === 0 || name === "vote") lists[name].push(arrow);
    }
    let left = MOST_HAZE;
    for (const name of rank) for (const arrow of lists[name]) {
      if (left === 0) break;
      const { x1, y1, x2, y2 } = ends(pen, arrow), piece = `M${Math.round(x1 / 2) * 2} ${y1}L${Math.round(x2 / 2) * 2} ${Math.round(y2)}`;
      if (seen.has(piece)) continue;
      seen.add(piece);
      paths[name] = (paths[name] || "") + piece;
      left--;
    }
    return rank.filter(name => paths[name]).reverse().map(name => `<path class="arrow haze k-${name}" d="${paths[name]}"/>`).join("");
  }

  function tip(x1, y1, x2, y2) {
    const angle = Math.atan2(y2 - y1, x2 - x1), wing = turn => `L${round(x2 - 8 * Math.cos(angle + turn))} ${round(y2 - 8 * Math.sin(angle + turn))}`;
    return `M${round(x2)} ${round(y2)}${wing(.42)}M${round(x2)} ${round(y2)}${wing(-.42)}`;
  }
  const cross = (x, y, r, classes = "") => `<path class="cross ${classes}" d="M${round(x - r)} ${round(y - r)}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}"/>`;

  // The shape of a step says what kind of thing happened.
  function shape(what, elected, x, y) {
    if (elected) return ["elected", star(x, y, 8)];
    if (what === "Start") return ["start", `M${x - 4} ${y - 6}l9 6l-9 6Z`];
    if (what === "Crash" || what === "Failed") return ["crash", `M${x - 6} ${y - 6}l12 12m0 -12l-12 12`];
    if (/^(Wake|Timeout|Interval)$/.test(what)) return ["timer", `M${x} ${y - 4.5}l4.5 4.5l-4.5 4.5l-4.5 -4.5Z`];
    if (/^(Propose|Read|Command|Invoke|Complete)$/.test(what)) return ["ask", `M${x} ${y - 4}l4 7.5h-8Z`];
    if (/^Persist/.test(what)) return ["persisted", `M${x - 3.5} ${y - 3.5}h7v7h-7Z`];
    if (/^Receive/.test(what)) return ["came", `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`];
    return ["other", `M${x} ${y - 5}v10`];
  }
  function star(x, y, r) {
    let path = "";
    for (let at = 0; at < 10; at++) {
      const angle = Math.PI * (at / 5 - .5), far = at % 2 ? r * .45 : r;
      path += `${at ? "L" : "M"}${round(x + far * Math.cos(angle))} ${round(y + far * Math.sin(angle))}`;
    }
    return path + "Z";
  }

  function drawDots({ run, view, axis, where, x, counts }) {
    const first = stepAt(run, view.axis, view.from), last = stepAt(run, view.axis, view.to + (view.axis === "order" ? 1e-9 : 1));
    const elected = new Set(run.leaders), dense = run.nodesBefore[last] - run.nodesBefore[first] > MOST_DOTS, parts = [], marks = columns(view);
    for (let step = first; step < Math.min(last, run.count); step++) {
      const row = where.rows[run.lane[step]], what = run.words[run.what[step]];
      if (!row || run.lanes[run.lane[step]].kind !== "node") continue;
      const here = round(x(axis.place(step)));
      if (dense && !elected.has(step) && what !== "Crash") { marks.add(run.lane[step], here); continue; }
      const [name, path] = shape(what, elected.has(step), here, row.middle);
      counts.dots++;
      if (!dense && run.commands.has(step)) parts.push(`<text class="soft still" x="${here}" y="${row.top - 3}" text-anchor="middle">${escape(run.words[run.commands.get(step)])}</text>`);
      parts.push(`<path class="dot ${name} ${relation(run, view.chosen, step)}" data-step="${step}" d="${path}"/>`);
    }
    return (dense ? `<path class="density" d="${marks.path(lane => `${where.rows[lane].middle - 3}v6`)}"/>` : "") + parts.join("");
  }

  // The violation, the cursor, the chosen step, what a search found.
  function drawMarks({ run, view, axis, where, left, right, x }) {
    const parts = [], height = where.height - 20, ring = (step, name, r) => {
      const row = where.rows[run.lane[step]], here = x(axis.place(step));
      if (row && here >= left - 9 && here <= right + 9) parts.push(`<circle class="${name}" data-mark="${name}" cx="${round(here)}" cy="${row.middle}" r="${r}"/>`);
    };
    if (run.data.violation) {
      const here = x(axis.place(run.data.violation[0])), text = run.data.violation[1], most = Math.floor((right - left - 20) / 7.7);
      const shown = text.length > most ? text.slice(0, most - 1) + "…" : text, width = shown.length * 7.7;
      if (here >= left && here <= right + 1) {
        const before = here + width > right;
        parts.push(`<path class="violation" d="M${round(here)} 5V${height}"/><path class="violation-flag" d="M${round(here)} 5l${before ? -11 : 11} 6l${before ? 11 : -11} 6Z"/><text class="violation-text" x="${round(Math.max(left + 2, here + (before ? -14 : 14)))}" y="15" text-anchor="${before && here - width > left ? "end" : "start"}">${escape(shown)}</text>`);
      }
    }
    if (view.cursor >= 0) {
      const here = x(axis.place(view.cursor));
      parts.push(`<path class="cursor" d="M${round(here)} ${TOP - 4}V${height}"/>`);
      const doubt = run.lanes[run.lane[view.cursor]].off, row = where.rows[run.lane[view.cursor]];
      if (doubt && row && view.axis === "time") parts.push(`<path class="doubt" d="M${round(x(run.at[view.cursor] - doubt))} ${row.middle}H${round(x(run.at[view.cursor] + doubt))}"><title>the clock may be off by this much</title></path>`);
    }
    for (const step of view.matches || []) ring(step, "match", 8);
    if (view.chosen >= 0) ring(view.chosen, "chosen", 10);
    return parts.join("");
  }

  // ---- the rim -------------------------------------------------------------------------------------------------

  function drawAxis({ run, view, where, left, right, x }) {
    const parts = [], most = Math.max(2, Math.floor((right - left) / 110)), span = view.to - view.from;
    let unit = Math.pow(10, Math.floor(Math.log10(span / most)));
    for (const factor of [2, 5, 10]) if (span / unit > most) unit = Math.pow(10, Math.floor(Math.log10(span / most))) * factor;
    if (view.axis === "order") unit = Math.max(1, Math.round(unit));
    for (let value = Math.max(0, Math.ceil(view.from / unit)) * unit; value <= view.to; value += unit) {
      if (view.axis === "order" && value < 1) continue;
      const here = round(x(value)), text = view.axis === "order" ? `#${Math.round(value)}` : time(value, unit);
      // None is cut off at an end.
      const half = text.length * 3.2, middle = Math.min(Math.max(here, left + half), view.width - half - 2);
      parts.push(`<path class="grid" d="M${here} ${TOP - 8}V${where.height - 20}"/><text class="soft" x="${round(middle)}" y="${where.height - 6}" text-anchor="middle">${text}</text>`);
    }
    return parts.join("");
  }

  // Nanoseconds for people: as many digits as the unit needs.
  function time(nanos, unit) {
    if (nanos === 0) return "0 s";
    const [name, size] = unit >= 1e8 ? ["s", 1e9] : unit >= 1e5 ? ["ms", 1e6] : unit >= 100 ? ["µs", 1e3] : ["ns", 1];
    const digits = Math.max(0, Math.ceil(-Math.log10(unit / size) - 1e-9));
    return `${(nanos / size).toFixed(Math.min(6, digits))} ${name}`;
  }

  // The names, and what each node is at the cursor, or at the right edge.
  function drawGutter({ run, view, axis, where, left }) {
    const short = left < 100, parts = [`<rect class="paper" width="${left - 6}" height="${where.height}"/>`];
    const fitted = (text, letter) => text.length * letter > left - 10 ? text.slice(0, Math.floor((left - 10) / letter) - 1) + "…" : text;
    const at = view.cursor >= 0 ? axis.place(view.cursor) : view.to, now = within(axis.spans, at, at);
    run.lanes.forEach((lane, number) => {
      const row = where.rows[number];
      if (!row) return;
      const name = short ? lane.name.replace(/^(node|client) ?/, it => it[0]).slice(0, 7) : lane.name;
      const small = lane.kind !== "node";
      parts.push(`<text class="${small ? "soft" : "name"}" x="6" y="${small ? row.middle + 4 : row.top + 14}">${escape(fitted(name, 7.4))}</text>`);
      if (small) return;
      const spans = now.filter(it => run.data.spans[it][0] === number && axis.spans.starts[it] <= at).map(it => run.data.spans[it]);
      const role = spans.filter(it => run.words[it[3]] === "role").pop(), still = spans.find(it => run.words[it[3]] !== "role");
      const { steps, values } = run.stairs[number];
      let commit = -1;
      for (let low = 0, high = steps.length; low < high;) { const middle = (low + high) >> 1; if (axis.place(steps[middle]) <= at) { commit = middle; low = middle + 1; } else high = middle; }
      const state = still ? run.words[still[3]] : role ? `${short ? run.words[role[4]].slice(0, 4) : run.words[role[4]]}${role[5] < 0 ? "" : ` t${role[5]}`}` : "";
      parts.push(`<text class="soft" x="6" y="${row.top + 28}">${escape(fitted(state, 6.2))}</text>`);
      if (lane.off && !short) parts.push(`<text class="soft" x="6" y="${row.top + 41}">clock ±${time(lane.off, lane.off / 10)}</text>`);
      if (row.stairs && commit >= 0) parts.push(`<text class="soft" x="6" y="${row.stairs + STAIRS - 6}">commit ${values[commit]}</text>`);
    });
    return parts.join("");
  }

  // The marks that this run has, each drawn in a box of 46 by 20, and what they mean.
  function marks(run, hiddenKinds = new Set()) {
    const { words, data } = run, all = [];
    const what = new Set(run.lane.reduce((list, lane, step) => { if (run.lanes[lane].kind === "node") list.push(run.what[step]); return list; }, []));
    const happened = pattern => [...what].some(word => pattern.test(words[word]));
    const lasted = (kind, label) => data.spans.some(span => words[span[3]] === kind && (!label || words[span[4]] === label));
    const kinds = run.kinds.filter(kind => !hiddenKinds.has(kind.name)), fates = new Set(run.arrows.fate);
    const add = (is, inner, text) => { if (is) all.push([inner, text]); };
    const dot = (name, text, is) => add(is, `<path class="dot ${shape(name, false, 23, 10)[0]}" d="${shape(name, false, 23, 10)[1]}"/>`, text);
    const band = (name, text, edge = "") => add(lasted("role", name), `<rect class="${name}" x="2" y="3" width="42" height="14"/>${edge}`, text);
    const still = (name, text) => add(lasted(name), `<rect class="${name}" x="2" y="3" width="42" height="14"/>`, text);
    const line = (family, text) => add(kinds.some(kind => kind.family === family && !isAnswer(kind.name)), `<path class="arrow k-${family}" d="M4 3L42 17"/>`, text);
    dot("Receive", "a message came", happened(/^Receive/));
    dot("Wake", "time passed", happened(/^(Wake|Timeout|Interval)$/));
    dot("Persisted", "the disk has written", happened(/^Persist/));
    dot("Propose", "was asked or told to do something", happened(/^(Propose|Read|Command)$/));
    dot("Apply", "something else: click it", happened(/^(Apply|InitState|Pause|Resume|SlowDisk|DiskFailure|Unreadable)$/));
    dot("Start", "started", happened(/^Start$/));
    dot("Crash", "crashed", happened(/^(Crash|Failed)$/));
    add(run.leaders.length > 0, `<path class="dot elected" d="${star(23, 10, 8)}"/>`, "became leader");
    band("Leader", "leads", '<path class="edge" d="M2 4h42"/>');
    band("Candidate", "stands for election", '<path class="edge-candidate" d="M2 4h42"/>');
    band("PreCandidate", "asks whether it could win");
    still("down", "is down");
    still("paused", "stands still");
    line("append", "entries");
    line("vote", "votes");
    line("prevote", "questions before a vote");
    line("heartbeat", "heartbeats, #: which question");
    line("other", kinds.filter(kind => kind.family === "other").map(kind => kind.name).slice(0, 4).join(", ") || "messages");
    add(kinds.some(kind => isAnswer(kind.name)), '<path class="arrow k-heartbeat answer" d="M4 3L42 17"/>', "an answer, in the colour of its question");
    add(fates.has(1), '<path class="arrow k-append lost" d="M4 3L34 14"/><path class="cross" d="M30 10l8 8m0 -8l-8 8"/>', "a message that was lost");
    add(fates.has(2), '<path class="arrow k-append lost" d="M4 3L30 13"/>', "not seen to come");
    add(data.writes.length > 0, '<path class="write" d="M8 10H38M38 6v8"/><rect class="write-at" x="5.5" y="7.5" width="5" height="5"/>', "a write, until the disk has it");
    add(data.commits.length > 0, '<path class="stairs" d="M2 16H14V11H28V6H44"/>', "the commit index");
    add(lasted("cut"), '<path class="cut" d="M4 4v12M4 10h38"/>', "links are cut");
    for (const [state, text] of [["Done", "a client was answered"], ["Refused", "was refused"], ["Unknown", "never heard"]])
      add(data.operations.some(it => words[it[4]] === state), `<rect class="operation ${state}" x="4" y="3" width="38" height="14" rx="5"/>`, text);
    return all;
  }

  // What broke is told of the world; the step that broke it is the last one of a node.
  function culprit(run) {
    if (!run.data.violation) return -1;
    for (let step = run.data.violation[0]; step >= 0; step--) if (run.lanes[run.lane[step]].kind === "node") return step;
    return -1;
  }

  // ---- by itself -----------------------------------------------------------------------------------------------

  // A picture of its own, with its style. `frame` has width, axis, from, to (in steps), hidden kinds, a title.
  function alone(data, frame, style) {
    const run = prepare(data), axis = run.axes[frame.axis], place = step => axis.place(Math.max(0, Math.min(run.count - 1, step)));
    const from = place(frame.from), to = place(frame.to < 0 ? run.count - 1 : frame.to), edge = Math.max((to - from) * .02, frame.axis === "order" ? .7 : 1);
    const view = { axis: frame.axis, from: from - edge, to: to + edge, width: frame.width, hiddenKinds: new Set(frame.hiddenKinds), hiddenLanes: new Set(), chosen: frame.lit ? culprit(run) : -1, cursor: -1, gap: 48 };
    const { svg, height: top, causal } = draw(run, view), { svg: legend, height } = drawLegend(run, view, top);
    return `<svg xmlns="http://www.w3.org/2000/svg" class="picture${causal ? " causal" : ""}" viewBox="0 0 ${frame.width} ${height}" width="${frame.width}" height="${height}" role="img"><title>${escape(frame.title)}</title><style>${style}</style>${svg}${legend}</svg>\n`;
  }

  // What the marks mean, in rows below the picture.
  function drawLegend(run, view, top) {
    let x = 6, y = top + 4;
    const parts = marks(run, view.hiddenKinds).map(([inner, what]) => {
      const width = 66 + what.length * 6;
      if (x + width > view.width) { x = 6; y += 20; }
      const part = `<g transform="translate(${x} ${y})">${inner}<text class="soft" x="50" y="14">${escape(what)}</text></g>`;
      x += width;
      return part;
    });
    return { svg: `<rect class="paper" y="${top}" width="${view.width}" height="${y + 26 - top}"/><g class="legend">${parts.join("")}</g>`, height: y + 26 };
  }

  return { prepare, draw, layout, within, arrowsIn, ends, stepAt, relation, clocks, family, time, escape, marks, culprit, alone };
})();
