// The technical room: choosing all that is shown, and taking that back.
"use strict";
document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-selects]")?.dataset.selects;
  if (!name) return;
  const boxes = [...document.querySelectorAll(`input[type="checkbox"][name="${CSS.escape(name)}"]`)];
  const every = boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = !every;
});
