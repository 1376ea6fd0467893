"use strict";
// Draws what stands in #data, and looks for newer data where the page came from.
const refreshEvery = 5000, byId = (id) => document.getElementById(id);
const count = (n) => n.toLocaleString("en");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
const chosen = { year: null, day: null };
let data = JSON.parse(byId("data").textContent);

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let at = 0;
  while (bytes >= 1024 && at < units.length - 1) bytes /= 1024, ++at;
  return `${at === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[at]}`;
}

function duration(seconds) {
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.ceil(seconds)} s`;
}

// Text goes in as text: names of pictures are anybody's.
function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function percent(part, whole) {
  if (whole === 0 || part >= whole) return "100";
  return Math.min(Math.floor(1000 * part / whole) / 10, 99.9).toFixed(1);
}

function stateOf(s) {
  if (s.transfer.blocked) return ["blocked", "trouble"];
  if (s.source.reachable === false) return ["source unreachable", "trouble"];
  if (s.suspicious) return ["source not believed", "trouble"];
  if (s.complete) return ["complete", "complete"];
  if (s.transfer.paused) return ["paused", "attention"];
  if (s.source.scanning) return ["scanning", "copying"];
  if (!data.live) return ["not complete", "attention"];
  if (s.missing.files > 0) return ["copying", "copying"];
  return ["needs a decision", "attention"];
}

function drawHead(s) {
  const [word, kind] = stateOf(s);
  byId("source").textContent = s.source.url;
  byId("destination").textContent = `to ${data.destination}`;
  byId("state").textContent = word;
  byId("state").className = `state ${kind}`;
  const here = percent(s.common.bytes, s.source.bytes);
  document.title = `${here} % · ferryfs`;
  byId("share").replaceChildren(`${here} %`, make("span", " of the source is here"));
  const bar = byId("bar");
  bar.replaceChildren(...["common", "conflict", "failed"].map((set) => {
    const part = make("i", undefined, set);
    part.style.width = `${s.source.bytes ? 100 * s[set].bytes / s.source.bytes : set === "common" ? 100 : 0}%`;
    return part;
  }));
  bar.setAttribute("aria-label", `${here} percent of the bytes are here`);
  const t = s.transfer;
  let pace = `${count(s.common.files)} of ${plural(s.source.files, "picture")}, ${size(s.common.bytes)} of ${size(s.source.bytes)}`;
  if (t.rate > 0 && !s.complete) pace += ` · ${size(t.rate)}/s`;
  if (t.eta_s !== null && !s.complete) pace += ` · ${duration(t.eta_s)} left`;
  byId("pace").textContent = pace;
  const why = t.blocked || s.source.why || "";
  byId("why").textContent = why;
  byId("why").hidden = why === "";
}

function drawSums(s) {
  const words = { source: "On the source", destination: "Here", common: "On both", missing: "Missing", new: "New here",
    conflict: "In conflict", failed: "Failed", refused: "Refused", skipped: "Skipped", deleted: "Deleted here", lost: "Lost" };
  byId("sums").replaceChildren(...Object.keys(words).filter((set) => s[set]).map((set) => {
    const box = make("div", undefined, { conflict: "warns", refused: "warns", lost: "fails", failed: "fails" }[set]);
    if (s[set].files === 0) box.className = "";
    const value = make("dd", count(s[set].files));
    value.dataset.set = set;
    if (s[set].files) value.append(make("span", size(s[set].bytes)));
    box.append(make("dt", words[set]), value);
    return box;
  }));
}

// One day as the index counts it: [YYYYMMDD, here, its bytes, missing, its bytes, conflicts, failed].
function dayOf(row) {
  const [day, here, hereBytes, missing, missingBytes, conflicts, failed] = row;
  return { day, here, hereBytes, missing, missingBytes, conflicts, failed, all: here + missing + failed };
}

function wholePercent(here, all) {
  return all === 0 || here >= all ? 100 : Math.min(99, Math.floor(100 * here / all));
}

function textOf(d) {
  const date = `${Math.floor(d.day / 10000)}-${String(Math.floor(d.day / 100) % 100).padStart(2, "0")}-${String(d.day % 100).padStart(2, "0")}`;
  const parts = [`${plural(d.here, "picture")} here (${size(d.hereBytes)})`];
  if (d.missing) parts.push(`${count(d.missing)} missing (${size(d.missingBytes)})`);
  if (d.failed) parts.push(`${count(d.failed)} failed`);
  if (d.conflicts) parts.push(`${count(d.conflicts)} in conflict`);
  return `${date}: ${parts.join(", ")}`;
}

function drawDays() {
  const days = new Map(data.days.map((row) => [row[0], dayOf(row)]));
  const years = new Map();
  for (const d of days.values()) {
    const year = Math.floor(d.day / 10000), sum = years.get(year) || { here: 0, all: 0 };
    sum.here += d.here, sum.all += d.all;
    years.set(year, sum);
  }
  byId("calendar").hidden = years.size === 0;
  if (years.size === 0) return;
  const order = [...years.keys()].sort((a, b) => b - a);
  if (!years.has(chosen.year)) chosen.year = order[0];
  sync(byId("years"), order.length, () => make("button"), (button, i) => {
    const year = order[i], sum = years.get(year);
    button.replaceChildren(String(year), make("br"), make("small", `${wholePercent(sum.here, sum.all)} %`));
    button.setAttribute("aria-pressed", String(year === chosen.year));
    button.style.setProperty("--share", `${wholePercent(sum.here, sum.all)}%`);
    button.onclick = () => { chosen.year = year, drawDays(); };
  });
  const months = [...Array(12).keys()].filter((m) => [...days.keys()].some((d) => Math.floor(d / 100) === chosen.year * 100 + m + 1));
  sync(byId("months"), months.length, () => {
    const block = make("div", undefined, "month");
    block.append(make("h3"), make("div", undefined, "days"));
    return block;
  }, (block, i) => drawMonth(block, months[i], days));
  byId("day").textContent = days.has(chosen.day) ? textOf(days.get(chosen.day)) : "Choose a day to see what it holds.";
}

// Makes `parent` have `number` children, and draws each; what stands stays, with its focus.
function sync(parent, number, fresh, draw) {
  while (parent.children.length > number) parent.lastChild.remove();
  while (parent.children.length < number) parent.append(fresh());
  [...parent.children].forEach(draw);
}

function drawMonth(block, month, days) {
  const first = new Date(Date.UTC(chosen.year, month, 1)), length = new Date(Date.UTC(chosen.year, month + 1, 0)).getUTCDate();
  const lead = (first.getUTCDay() + 6) % 7;
  block.firstChild.textContent = first.toLocaleString("en", { month: "long", timeZone: "UTC" });
  const shape = `${chosen.year}-${month}-` + [...Array(length).keys()].map((i) => Number(days.has(chosen.year * 10000 + (month + 1) * 100 + i + 1))).join("");
  const grid = block.lastChild;
  if (grid.dataset.shape !== shape) {
    grid.dataset.shape = shape;
    grid.replaceChildren(...[...Array(lead)].map(() => make("b")), ...[...Array(length).keys()].map((i) =>
      make(days.has(chosen.year * 10000 + (month + 1) * 100 + i + 1) ? "button" : "i")));
  }
  for (const [i, cell] of [...grid.children].slice(lead).entries()) {
    const d = days.get(chosen.year * 10000 + (month + 1) * 100 + i + 1);
    if (!d) continue;
    cell.className = d.failed ? "trouble" : d.conflicts ? "attention" : "";
    cell.style.setProperty("--share", `${wholePercent(d.here, d.all)}%`);
    cell.title = textOf(d);
    cell.dataset.day = d.day;
    cell.setAttribute("aria-label", textOf(d));
    cell.setAttribute("aria-pressed", String(d.day === chosen.day));
    cell.onclick = () => { chosen.day = d.day, drawDays(); };
  }
}

// The arrow keys go from day to day.
byId("months").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
  if (!step || !event.target.dataset.day) return;
  const cells = [...byId("months").querySelectorAll("button")];
  const next = cells[cells.indexOf(event.target) + step];
  if (next) next.focus();
  event.preventDefault();
});

function drawTable(id, rows, cells, more, where) {
  const section = byId(id);
  section.hidden = rows.length === 0;
  section.querySelector("tbody").replaceChildren(...rows.map((row) => {
    const line = make("tr");
    line.append(...cells(row).map(([text, kind]) => make("td", text, kind)));
    return line;
  }));
  const note = section.querySelector(".more");
  if (!note) return;
  note.hidden = more <= 0;
  note.textContent = `and ${count(more)} more: ${where}`;
}

// 2026-11-24T10:36:00Z -> 2026-11-24 10:36
function shortTime(utc) { return utc.slice(0, 16).replace("T", " "); }

function drawHistory() {
  const reports = data.history;
  byId("history").hidden = reports.length === 0;
  drawTable("history", [...reports].reverse().slice(0, 12), (r) => [[shortTime(r.time).replaceAll("-", "\u2011")], [r.job],
    [count(r.missing.files), "number"], [size(r.missing.bytes), "number"], [count(r.conflict), "number"], [count(r.failed), "number"]]);
  byId("plot").replaceChildren();
  if (reports.length > 1) byId("plot").append(plot(reports));
}

function svg(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Missing bytes over time, as wide as there is room: its text stays as large as the page's.
function plot(reports) {
  const width = Math.max(byId("plot").clientWidth, 280), height = 180, left = 70, bottom = 24, top = 10;
  const times = reports.map((r) => Date.parse(r.time)), most = Math.max(...reports.map((r) => r.missing.bytes), 1);
  const span = Math.max(times.at(-1) - times[0], 1);
  const x = (i) => left + (width - left - 10) * (times[i] - times[0]) / span;
  const y = (bytes) => top + (height - top - bottom) * (1 - bytes / most);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label":
    `Missing: ${size(reports[0].missing.bytes)} at first, ${size(reports.at(-1).missing.bytes)} now` });
  for (const part of [0, 0.5, 1]) {
    picture.append(svg("line", { class: "grid", x1: left, x2: width - 10, y1: y(most * part), y2: y(most * part) }));
    picture.append(svg("text", { x: left - 8, y: y(most * part) + 4, "text-anchor": "end" }, size(most * part)));
  }
  const points = reports.map((r, i) => `${x(i).toFixed(1)},${y(r.missing.bytes).toFixed(1)}`);
  picture.append(svg("polygon", { class: "area", points: `${x(0)},${y(0)} ${points.join(" ")} ${x(reports.length - 1)},${y(0)}` }));
  picture.append(svg("polyline", { class: "line", points: points.join(" ") }));
  reports.forEach((r, i) => {
    const dot = svg("circle", { cx: x(i), cy: y(r.missing.bytes), r: reports.length > 60 ? 1.5 : 3.5 });
    dot.append(svg("title", {}, `${r.time}: ${count(r.missing.files)} missing, ${size(r.missing.bytes)}`));
    picture.append(dot);
  });
  const day = (i) => shortTime(reports[i].time);
  picture.append(svg("text", { x: left, y: height - 4 }, day(0)));
  picture.append(svg("text", { x: width - 10, y: height - 4, "text-anchor": "end" }, day(reports.length - 1)));
  return picture;
}

function draw() {
  const s = data.status;
  drawHead(s);
  drawSums(s);
  drawDays();
  drawTable("active", s.transfer.active, (p) => [[p.path, "path"], [size(p.bytes), "number"], [p.demanded ? "a reader waits" : "replication"]]);
  drawTable("conflicts", data.conflicts, (c) => [[c.path, "path"], [size(c.here), "number"], [size(c.source), "number"]],
    s.conflict.files - data.conflicts.length, "lists/conflict.txt");
  drawTable("failures", data.failures, (f) => [[f.path, "path"], [f.error]], s.failed.files - data.failures.length, "lists/failed.txt");
  drawTable("refused", data.refused, (f) => [[f.path, "path"], [f.error]], s.refused.files - data.refused.length, "lists/refused.txt");
  drawHistory();
  const made = new Date(data.made).toLocaleString();
  byId("footer").className = "";
  byId("footer").textContent = data.live ? `As of ${made}, updated every ${refreshEvery / 1000} seconds.` : `As of ${made}.`;
}

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    data = JSON.parse(page.getElementById("data").textContent);
    draw();
  } catch (problem) {
    byId("footer").className = "stale";
    byId("footer").textContent = `No news since ${new Date(data.made).toLocaleString()}: ${problem.message}`;
  }
}

draw();
addEventListener("resize", drawHistory);
if (data.live && location.protocol.startsWith("http")) setInterval(refresh, refreshEvery);
