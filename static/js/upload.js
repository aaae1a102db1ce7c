// Uploads with progress: one request a file, straight to the object store where it takes them.

const form = document.querySelector("#upload");
const input = form.querySelector("input[type=file]");
const list = document.querySelector("#uploads");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;

function line(file) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = file.name;
  const state = document.createElement("span");
  state.textContent = "waits";
  const cancel = document.createElement("button");
  cancel.type = "button";
  cancel.className = "as-link";
  cancel.textContent = "Cancel";
  const bar = document.createElement("progress");
  bar.className = "progress";
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  item.append(name, state, cancel, bar);
  list.append(item);
  return { state, cancel, bar };
}

function sentence(request) {
  try {
    return JSON.parse(request.responseText).error.message;
  } catch {
    return `the server answered ${request.status}`;
  }
}

// XMLHttpRequest, because fetch does not tell how much of a body is sent.
function send(file, { state, cancel, bar }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const end = (words, ok) => {
      state.textContent = words;
      state.classList.toggle("failed", !ok);
      cancel.remove();
      if (!ok) bar.remove();
      resolve(ok);
    };
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.loaded / Math.max(event.total, 1);
      state.textContent = `${Math.floor(bar.value * 100)} %`;
    });
    request.addEventListener("load", () => end(request.status < 300 ? "uploaded" : sentence(request), request.status < 300));
    request.addEventListener("error", () => end("the connection was lost; nothing was changed", false));
    request.addEventListener("abort", () => end("cancelled; nothing was changed", false));
    cancel.addEventListener("click", () => request.abort());
    request.open("PUT", `${form.dataset.files}${encodeURIComponent(file.name)}/`);
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
    request.send(file);
  });
}

async function upload(files) {
  list.replaceChildren();
  const lines = files.map((file) => [file, line(file)]);
  let all = true;
  for (const [file, shown] of lines) all = (await send(file, shown)) && all;
  if (all) location.reload();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) upload([...input.files]);
});

for (const name of ["dragover", "dragleave", "drop"]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.toggle("is-over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files.length) upload([...event.dataTransfer.files]);
  });
}
