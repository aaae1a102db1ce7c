// What the account's stream of events is to an open page, and the words that say whether it works.

const live = document.querySelector("#live");
const lost = document.querySelector("#connection-lost");

export function say(state, words) {
  if (live) {
    live.hidden = false;
    live.dataset.state = state;
    if (live.textContent !== words) live.textContent = words;
  }
  if (lost) lost.hidden = state !== "off";
}

// Calls `opened` when the stream works, first or again, and `changed` with the ids of batches as they change. Each
// second that somebody looks, `isDue(works)` is asked whether to `ask` by ourselves.
export function follow(address, { opened, changed, isDue, ask }) {
  let stream = null;
  let works = false;

  function listen() {
    stream = new EventSource(address);
    stream.addEventListener("open", () => { works = true; opened(); });
    stream.addEventListener("batches", (event) => changed(JSON.parse(event.data)));
    stream.addEventListener("error", () => { works = false; });
  }

  function leave() {
    stream?.close();
    works = false;
  }

  function look() {
    if (document.hidden || !isDue(works)) return;
    if (stream?.readyState === EventSource.CLOSED) listen();
    ask();
  }

  listen();
  setInterval(look, 1000);
  // A browser keeps six connections to a server: a tab nobody sees holds none.
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted && !document.hidden) listen(); });
  return { works: () => works };
}
