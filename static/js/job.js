// The open page of a job that runs: its output as it is written, and the rest of the page when its status changes.

const page = document.querySelector("#job");
const KEPT = 200_000; // characters in the browser; the download has all that is kept
const PARTS = ["job-head", "job-way", "job-error", "job-charts", "job-events", "job-side"];
const REFRESH_MS = 3000; // charts and figures of a running job

// The same reading as common/text.py: colours dropped, tricky characters written out.
const ANSI = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]{0,4096}\x1b\\|\x1b[ -/]*[0-~]/g;
const TRICKY = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;

function shown(character) {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `⟨u+${code.toString(16).padStart(4, "0")}⟩`;
}

function settled(line) {
  if (!line.includes("\r")) return line;
  const parts = line.split("\r").filter(Boolean);
  return parts.at(-1) ?? "";
}

const readable = (text) => text.replace(ANSI, "").split("\n").map(settled).join("\n").replace(TRICKY, shown);

class Output {
  constructor(section) {
    this.section = section;
    this.pre = section.querySelector("pre");
    this.follow = section.querySelector("[data-follow]");
    this.raw = "";
    this.isCut = false;
    this.drawing = false;
    section.querySelector(".follow").hidden = false;
    // Scrolling up stops following, scrolling to the end takes it up again.
    this.pre.addEventListener("scroll", () => { this.follow.checked = this.isAtEnd(); });
    this.follow.addEventListener("change", () => this.toEnd());
  }

  isAtEnd() { return this.pre.scrollHeight - this.pre.scrollTop - this.pre.clientHeight < 24; }
  toEnd() { if (this.follow.checked) this.pre.scrollTop = this.pre.scrollHeight; }

  put(text) { this.raw = text; this.draw(); }
  add(text) { this.raw += text; this.draw(); }

  notice() {
    const notice = document.createElement("span");
    notice.className = "left-out";
    notice.textContent = "The beginning is left out here; Download has all that is kept.";
    return notice;
  }

  // However fast it comes, it is drawn once a frame; much of it four times a second, because each time takes a while.
  draw() {
    if (this.drawing) return;
    this.drawing = true;
    const soon = this.raw.length < 20_000 ? requestAnimationFrame : (callback) => setTimeout(callback, 250);
    soon(() => {
      this.drawing = false;
      if (this.raw.length > KEPT * 1.5) {
        this.raw = this.raw.slice(-KEPT);
        this.isCut = true;
      }
      const follow = this.follow.checked;
      this.pre.replaceChildren(...(this.isCut ? [this.notice()] : []), readable(this.raw));
      const isEmpty = !this.raw;
      this.pre.hidden = isEmpty;
      this.section.querySelector(".none").hidden = !isEmpty;
      if (!isEmpty) this.section.hidden = false;
      this.follow.checked = follow;
      this.toEnd();
    });
  }
}

async function refresh({ whole = false } = {}) {
  const response = await fetch(location.href, { headers: { "X-Requested-With": "live" } }).catch(() => null);
  document.querySelector("#connection-lost").hidden = Boolean(response);
  if (!response) return;
  if (response.redirected) return location.reload(); // signed out
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  // A question that is open is not closed under the hand.
  const asking = page.querySelector("details.ask[open]");
  for (const id of whole ? [...PARTS, "job-output"] : PARTS) {
    if (id === "job-head" && asking && !whole) continue;
    const [before, after] = [document.getElementById(id), fresh.getElementById(id)];
    if (before && after && !before.contains(document.activeElement)) before.replaceWith(after);
    else if (before && after && whole) before.replaceWith(after);
  }
  document.title = fresh.title;
  document.dispatchEvent(new CustomEvent("htmx:afterSwap"));
}

const outputs = Object.fromEntries([...page.querySelectorAll("[data-stream]")].map((section) => [section.dataset.stream, section]));
let stream = null;
let timer = 0;
let status = page.dataset.status;

// The kept log takes the place of the live one, and stands where one was reading.
async function finish() {
  const places = Object.entries(outputs).map(([name, output]) => [name, output.follow.checked ? Infinity : output.pre.scrollTop]);
  await refresh({ whole: true });
  for (const [name, top] of places) {
    const pre = page.querySelector(`[data-stream="${name}"] pre`);
    if (pre) pre.scrollTop = Math.min(top, pre.scrollHeight);
  }
}

function wire() {
  for (const [name, section] of Object.entries(outputs)) outputs[name] = new Output(section);
}

function watch() {
  stream?.close();
  clearInterval(timer);
  stream = new EventSource(page.dataset.live);
  // The stream ends by itself only with `end`; while it is away, the timer goes on asking.
  timer = setInterval(refresh, REFRESH_MS);
  stream.addEventListener("snapshot", (event) => {
    for (const [name, text] of Object.entries(JSON.parse(event.data))) outputs[name]?.put(text);
  });
  stream.addEventListener("output", (event) => {
    const { stream: name, text } = JSON.parse(event.data);
    outputs[name]?.add(text);
  });
  stream.addEventListener("status", (event) => {
    const now = JSON.parse(event.data).status;
    if (now !== status) refresh();
    status = now;
  });
  stream.addEventListener("end", () => {
    leave();
    delete page.dataset.live;
    finish();
  });
}

function leave() {
  stream?.close();
  clearInterval(timer);
}

if (page.dataset.live) {
  wire();
  watch();
  // A browser keeps six connections to a server: a tab nobody sees holds none. Its return begins with a snapshot.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
    else if (page.dataset.live) watch();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted && page.dataset.live) watch(); });
}
