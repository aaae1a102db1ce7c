// Copy buttons: <button data-copy="#id" hidden>. They show only where copying works.

async function copy(button) {
  const text = document.querySelector(button.dataset.copy)?.textContent ?? "";
  const word = button.querySelector("span");
  const before = word.textContent;
  try {
    await navigator.clipboard.writeText(text);
    word.textContent = "Copied";
  } catch {
    // Not allowed here: select it, so that one key copies it.
    getSelection().selectAllChildren(document.querySelector(button.dataset.copy));
    word.textContent = "Selected";
  }
  setTimeout(() => { word.textContent = before; }, 2000);
}

function reveal() {
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
document.addEventListener("htmx:afterSwap", reveal);
reveal();
