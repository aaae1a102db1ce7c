// Keeps relative times, running durations and running costs true between two answers of the server.

const serverNow = Date.parse(document.querySelector('meta[name="server-now"]')?.content ?? "");
// Clocks of browsers are often wrong; the server's counts.
const skew = Number.isNaN(serverNow) ? 0 : serverNow - Date.now();
const now = () => Date.now() + skew;
const two = (n) => String(n).padStart(2, "0");

function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 1) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

function relative(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
  return null; // the server wrote a date
}

function until(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds <= 0) return "now";
  if (seconds < 60) return `in ${seconds} s`;
  if (seconds < 3600) return `in ${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  if (seconds < 86400) return `in ${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`;
  return `in ${Math.floor(seconds / 86400)} d ${two(Math.floor((seconds % 86400) / 3600))} h`;
}

function dollars(amount) {
  if (amount === 0) return "$0.00";
  const digits = amount < 1 ? Math.max(2, 1 - Math.floor(Math.log10(amount))) : 2;
  return `$${amount.toFixed(Math.min(digits, 12))}`;
}

function put(element, text) {
  if (text !== null && element.textContent !== text) element.textContent = text;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-relative]")) put(time, relative(now() - Date.parse(time.dateTime)));
  for (const time of document.querySelectorAll("time[data-until]")) put(time, until(Date.parse(time.dateTime) - now()));
  for (const meter of document.querySelectorAll("[data-since]")) put(meter, duration(Math.max(0, now() - Date.parse(meter.dataset.since))));
  for (const meter of document.querySelectorAll("[data-cost-since]")) {
    const ms = Math.max(0, now() - Date.parse(meter.dataset.costSince));
    put(meter, dollars(ms * Number(meter.dataset.rate)));
  }
}

setInterval(() => { if (!document.hidden) tick(); }, 1000);
document.addEventListener("visibilitychange", tick);
