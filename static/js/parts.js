// A page whose parts are kept true while it is open: each [data-part] that changed is put in the place of the old one.

import { follow, say } from "./stream.js";

const page = document.querySelector("[data-parts]");

const GATHER_MS = 700;
const POLL_MS = 15000;

// What differs in each answer although nothing happened: times that count, tokens, what script has changed.
function bare(part) {
  const copy = part.cloneNode(true);
  for (const time of copy.querySelectorAll("time")) time.textContent = "";
  for (const token of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) token.remove();
  for (const button of copy.querySelectorAll("[data-copy]")) button.hidden = true;
  return copy.innerHTML;
}

const stops = (part) => [...part.querySelectorAll("a, button, [tabindex]")];

function swap(old, fresh) {
  if (bare(old) === bare(fresh)) return;
  // Said once, for who does not see it change.
  if (old.dataset.say !== fresh.dataset.say) document.querySelector("#said").textContent = fresh.dataset.say;
  const focused = stops(old).indexOf(document.activeElement);
  if (old.classList.contains("is-current")) fresh.classList.add("is-current");
  old.replaceWith(fresh);
  if (focused >= 0) stops(fresh)[focused]?.focus({ preventScroll: true });
}

const parts = (root) => [...root.querySelectorAll("[data-part]")];
const names = (root) => parts(root).map((part) => part.id).join();

function put(fresh) {
  // Something came or went: all at once, unless somebody is in the middle of it.
  if (names(page) !== names(fresh) && !page.contains(document.activeElement)) page.replaceChildren(...fresh.childNodes);
  else
    for (const part of parts(fresh)) {
      const old = document.getElementById(part.id);
      if (old) swap(old, part);
    }
  for (const button of page.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

let lastLook = Date.now();
let gathering = 0;

async function look() {
  gathering = 0;
  lastLook = Date.now();
  try {
    const response = await fetch(location.href, { headers: { "X-Requested-With": "live" } });
    if (response.redirected || response.status === 404) return location.reload(); // signed out, or removed elsewhere
    if (!response.ok) throw new Error(String(response.status));
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    put(answer.querySelector("[data-parts]"));
    say(stream.works() ? "on" : "slow", stream.works() ? "Live" : "Every 15 s");
  } catch {
    say("off", "No answer");
  }
}

function lookSoon() {
  gathering ||= setTimeout(look, GATHER_MS);
}

const stream = follow(page.dataset.live, {
  opened: lookSoon,
  changed: lookSoon,
  // Runs that are missed or late make no job, so they come by no event.
  isDue: () => Date.now() - lastLook >= POLL_MS,
  ask: lookSoon,
});
