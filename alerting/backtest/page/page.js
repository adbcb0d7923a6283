// The other language: both are in the page, one of them is hidden.
"use strict";
// On paper nothing can be opened any more.
addEventListener("beforeprint", () => { for (const closed of document.querySelectorAll("details")) closed.open = true; });
for (const button of document.querySelectorAll("[data-show]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const part of document.querySelectorAll("[data-language]")) part.hidden = part.dataset.language !== button.dataset.show;
    document.documentElement.lang = button.dataset.show;
    const shown = document.querySelector(`[data-language="${button.dataset.show}"]`);
    document.title = shown.dataset.title;
    shown.querySelector("h1").focus();
  });
}
