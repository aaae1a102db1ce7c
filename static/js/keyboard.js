// Keys of every page; the dialog #keys-help lists them.

const GO = { j: "/jobs/", c: "/crons/", r: "/realtime/", f: "/files/", b: "/billing/", a: "/account/" };
let afterG = -Infinity; // when g was pressed, in ms

const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-rows] tr.row, table[data-keys] tbody tr")].filter((row) => row.checkVisibility());
const current = () => document.querySelector("tr.is-current");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  current()?.classList.remove("is-current");
  next.classList.add("is-current");
  const link = next.querySelector("a[href]:not([data-expand])");
  link?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

const acts = {
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[type=checkbox]")?.click(),
  e: () => current()?.closest("tbody").querySelector("[data-expand]")?.click(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  "?": () => document.querySelector("#keys-help").showModal(),
};

// A question that is open closes by Escape, or by a click elsewhere.
function closeQuestions(except) {
  for (const ask of document.querySelectorAll("details.ask[open]")) if (!except || !ask.contains(except)) ask.open = false;
}

document.addEventListener("click", (event) => closeQuestions(event.target));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (isTyping(event.target)) event.target.blur();
    closeQuestions();
  }
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.timeStamp - afterG < 1000 && GO[event.key]) {
    location.assign(GO[event.key]);
    return;
  }
  afterG = event.key === "g" ? event.timeStamp : -Infinity;
  if (acts[event.key]) {
    event.preventDefault();
    acts[event.key]();
  }
});
