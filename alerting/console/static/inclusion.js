// Including a patient: what goes together is sent together, what is wrong is said where it is, scanning is typing.
"use strict";
(() => {
  const BOX = "input[type=checkbox]";
  const isSaid = (lead) => (lead.matches(BOX) ? lead.checked : lead.value.trim() !== "");

  // ---- A group is sent only when its first field says something; then the next group shows itself.
  function follow(group) {
    const lead = group.querySelector("[data-lead]");
    const said = isSaid(lead) && !lead.disabled;
    for (const one of group.querySelectorAll("input, select, textarea")) {
      const inner = one.closest("[data-group]");
      if (one === lead) continue;
      // Of a group within, its own first field decides on the rest.
      if (inner === group || one.hasAttribute("data-lead")) one.disabled = !said;
    }
    for (const inner of group.querySelectorAll("[data-group]")) follow(inner);
    for (const one of group.querySelectorAll("[data-shown-with-lead]")) one.hidden = !said;
    const next = group.nextElementSibling;
    if (said && next?.matches("[data-group][hidden]")) next.hidden = false;
  }
  document.addEventListener("input", (event) => {
    const group = event.target.hasAttribute("data-lead") && event.target.closest("[data-group]");
    if (group) follow(group);
    mend(event.target.closest("[data-where]"));
  });

  // ---- A scanner ends with Enter: on to the next device, instead of sending the form.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.hasAttribute?.("data-scanned")) return;
    event.preventDefault();
    const all = [...event.target.form.querySelectorAll("[data-scanned]")].filter((one) => !one.closest("[hidden]"));
    all[all.indexOf(event.target) + 1]?.focus();
  });

  // ---- What the server refuses is told at its field; nothing that was typed is touched.
  const plain = (where) => where.replace(/^body\./, "").replace(/^programmes\.\d+\.(?=limits|schedule)/, "");
  function fieldOf(form, where) {
    const fields = [...form.querySelectorAll("[data-where]")].filter((one) => !one.querySelector("input")?.disabled);
    const named = plain(where);
    const within = (long, short) => long === short || long.startsWith(`${short}.`);
    const best = fields.filter((one) => within(named, one.dataset.where)).sort((a, b) => b.dataset.where.length - a.dataset.where.length);
    return best[0] ?? fields.find((one) => within(one.dataset.where, named));
  }
  // A field may hold others, each with what is wrong with it.
  const wrongOf = (field) => [...(field?.querySelectorAll(".wrong") ?? [])].find((one) => one.closest("[data-where]") === field);
  function mend(field) {
    const wrong = wrongOf(field);
    if (!wrong || wrong.hidden) return;
    wrong.hidden = true;
    field.querySelectorAll("[aria-invalid]").forEach((one) => one.removeAttribute("aria-invalid"));
  }
  function tell(field, reason) {
    const wrong = wrongOf(field);
    wrong.textContent = wrong.getAttribute(`data-said-${reason}`) ?? wrong.dataset.said;
    wrong.hidden = false;
    for (let one = field; one; one = one.parentElement.closest("details")) if (one.matches("details")) one.open = true;
    const control = field.querySelector("input:not([type=hidden]), select, textarea");
    control.setAttribute("aria-invalid", "true");
    return { control, text: wrong.textContent };
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.elt.matches?.("form[data-clears]")) event.detail.elt.reset();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target, xhr, requestConfig } = event.detail;
    if (xhr?.status !== 422) return;
    const asked = requestConfig.elt;
    const form = asked.closest?.("form[data-checked]");
    if (!form) return;
    if (asked === form) {
      form.querySelectorAll("[data-where]").forEach(mend);
      form.querySelectorAll("[data-summary]").forEach((one) => (one.hidden = true));
    }
    const told = [];
    for (const item of target.querySelectorAll("li[data-where]")) {
      const field = fieldOf(form, item.dataset.where);
      if (!wrongOf(field)) continue;
      const { control, text } = tell(field, item.dataset.reason);
      told.push(control);
      const link = document.createElement("a");
      link.href = `#${control.id}`;
      link.textContent = text;
      item.replaceChildren(link);
    }
    if (!told.length) return;
    const place = asked === form && form.querySelector("[data-summary]");
    if (place) {
      const list = document.createElement("ul");
      list.append(...target.querySelectorAll("li"));
      const title = document.createElement("strong");
      title.textContent = place.dataset.summary;
      place.replaceChildren(title, list);
      place.hidden = false;
    }
    target.replaceChildren();
    if (asked === form) told[0].focus();
  });
})();
