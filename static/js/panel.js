// The open jobs panel: rows that changed are put in the place of the old ones, new ones wait behind a pill.

import { follow, say } from "./stream.js";

const panel = document.querySelector("#jobs");
const pill = document.querySelector("#new-jobs");

const FLUSH_MS = 400;
const POLL_MS = 3000;
const SLOW_MS = 30000;

const table = () => panel.querySelector("table.jobs");
const group = (id) => panel.querySelector(`tbody[data-batch="${id}"]`);
const visibleMoving = () => [...panel.querySelectorAll("tbody[data-batch]:has(> tr.row[data-moving])")].map((body) => body.dataset.batch);

function swapRow(fresh) {
  const body = group(fresh.dataset.batch);
  if (!body) return;
  const before = body.querySelector(":scope > tr.row:not(.child)");
  const after = fresh.querySelector("tr.row");
  if (before.dataset.html === after.innerHTML) return;
  after.dataset.html = after.innerHTML;
  after.querySelector(".pick").checked = before.querySelector(".pick").checked;
  const expander = before.querySelector("[data-expand]");
  if (expander) after.querySelector("[data-expand]").setAttribute("aria-expanded", expander.getAttribute("aria-expanded"));
  after.classList.toggle("is-current", before.classList.contains("is-current"));
  const focused = before.contains(document.activeElement) ? [...before.querySelectorAll("a, input")].indexOf(document.activeElement) : -1;
  before.replaceWith(after);
  if (focused >= 0) after.querySelectorAll("a, input")[focused]?.focus({ preventScroll: true });
}

function showNew(ids) {
  if (!ids.length || !table()?.dataset.newest) return;
  const address = new URL(location.href);
  for (const name of ["before", "after", "expand"]) address.searchParams.delete(name);
  pill.href = address.pathname + address.search;
  pill.textContent = `${ids.length === 50 ? "50+" : ids.length} new`;
  pill.hidden = false;
}

// The part below the filters again, from its top.
async function show(address) {
  const seen = Number(table()?.dataset.newest ?? 0);
  await window.htmx.ajax("GET", address, { target: "#jobs", swap: "innerHTML" });
  for (const body of panel.querySelectorAll("tbody[data-batch]")) {
    if (seen && Number(body.dataset.batch) > seen) body.querySelector("tr.row").classList.add("fresh");
  }
}

pill.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (pill.href !== location.href) history.pushState({}, "", pill.href);
  show(pill.href);
  scrollTo({ top: 0 });
});

async function refresh(ids, { lookForNew }) {
  const query = new URLSearchParams(location.search);
  for (const name of ["before", "after", "expand"]) query.delete(name);
  if (ids.length) query.set("ids", ids.join(","));
  if (lookForNew) query.set("newer_than", table()?.dataset.newest ?? "0");
  const response = await fetch(`${panel.dataset.rows}?${query}`, { headers: { "X-Requested-With": "live" } });
  if (response.redirected) return location.reload(); // signed out
  if (!response.ok) throw new Error(`rows: ${response.status}`);
  const answer = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("table");
  const got = new Set();
  for (const body of answer.querySelectorAll("tbody[data-batch]")) {
    got.add(body.dataset.batch);
    swapRow(body);
  }
  for (const id of ids) if (!got.has(String(id))) group(id)?.classList.add("gone");
  const fresh = answer.dataset.new.split(",").filter(Boolean);
  // The first job of an account: nothing is in the way, so the page turns into the table.
  if (fresh.length && !table() && !location.search) return show(location.href);
  showNew(fresh);
}

// -- What changed, gathered for a moment ------------------------------------------------------

const changed = new Set();
let flushing = 0;

async function flush() {
  flushing = 0;
  const ids = [...changed];
  changed.clear();
  const newest = Number(table()?.dataset.newest ?? 0);
  const onPage = ids.filter((id) => group(id));
  try {
    await refresh(onPage, { lookForNew: ids.some((id) => id > newest && !group(id)) });
    for (const id of onPage) refreshOpen(id);
    say("on", "Live");
  } catch {
    say("off", "No answer");
  }
}

function changedNow(ids) {
  for (const id of ids) changed.add(id);
  flushing ||= setTimeout(flush, FLUSH_MS);
}

// -- Maps that open in place -------------------------------------------------------------------

const childRows = (body) => [...body.querySelectorAll(":scope > tr:not(.row), :scope > tr.child")];

async function openMap(link) {
  const body = link.closest("tbody");
  const isOpen = link.getAttribute("aria-expanded") === "true";
  link.setAttribute("aria-expanded", String(!isOpen));
  if (isOpen) return childRows(body).forEach((row) => row.remove());
  await loadChildren(body);
}

async function loadChildren(body) {
  const response = await fetch(`${panel.dataset.rows}?batch=${body.dataset.batch}`);
  if (!response.ok) return;
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  childRows(body).forEach((row) => row.remove());
  body.append(template.content);
  window.htmx?.process(body);
}

// An open map of which only the first page is shown is kept true; one read further is left alone.
function refreshOpen(id) {
  const body = group(id);
  if (body?.querySelector('[aria-expanded="true"]') && childRows(body).length <= 51 && !body.querySelector(".child .pick:checked")) loadChildren(body);
}

panel.addEventListener("click", (event) => {
  const link = event.target.closest("[data-expand]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openMap(link);
});

// -- What is ticked ---------------------------------------------------------------------------

let lastTicked = null;

function countTicked() {
  const said = panel.querySelector("#ticked");
  if (!said) return;
  said.textContent = panel.querySelectorAll(".pick:checked").length;
  panel.querySelector("#confirm").replaceChildren();
}

function tickRange(from, to) {
  const all = [...panel.querySelectorAll(".pick")];
  const [first, last] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
  for (const box of all.slice(first, last + 1)) box.checked = to.checked;
}

panel.addEventListener("click", (event) => {
  const box = event.target.closest(".pick");
  if (box && event.shiftKey && lastTicked?.isConnected) tickRange(lastTicked, box);
  if (box) lastTicked = box;
  if (event.target.id === "tick-all") for (const each of panel.querySelectorAll("tr:not(.child) .pick")) each.checked = event.target.checked;
  if (event.target.closest("#confirm [data-cancel]")) {
    event.preventDefault();
    panel.querySelector("#confirm").replaceChildren();
  }
  if (box || event.target.id === "tick-all") countTicked();
});

function reveal() {
  const all = panel.querySelector("#tick-all");
  if (all) all.hidden = false;
  countTicked();
}

document.addEventListener("htmx:afterSwap", (event) => { if (event.target === panel) { pill.hidden = true; reveal(); } });
// An address holds only the filters that are on.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.id !== "filters") return;
  for (const [name, value] of [...event.detail.formData.entries()]) if (!value) event.detail.formData.delete(name);
});
reveal();

// -- The stream, and looking by ourselves when it fails ----------------------------------------

let lastPoll = 0;

async function catchUp(state, words) {
  lastPoll = Date.now();
  try {
    await refresh(visibleMoving(), { lookForNew: true });
    say(state, words);
  } catch {
    say("off", "No answer");
  }
}

follow(panel.dataset.live, {
  // What happened between the page and the stream, or while it was away.
  opened: () => catchUp("on", "Live"),
  changed: changedNow,
  isDue: (works) => !works && Date.now() - lastPoll >= (visibleMoving().length ? POLL_MS : SLOW_MS),
  ask: () => catchUp("slow", "Every 3 s"),
});
