// The worklist: keys, what is chosen, acts on it, and a list that never moves while somebody is busy with it.
"use strict";
(() => {
  const $ = (selector, place = document) => place.querySelector(selector);
  const all = (selector, place = document) => [...place.querySelectorAll(selector)];
  const texts = () => document.getElementById("texts").dataset;

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-prints]")) window.print();
  });
  if (!document.getElementById("list")) return;

  // ---- Rows: where one is, and what is chosen. Both are kept by patient: the list may be drawn anew.
  const chosen = new Set();
  let current = null;
  const rows = () => all("#worklist tbody tr");
  const row = (patient) => (patient ? document.getElementById(`row-${patient}`) : null);
  // How each alert was last heard of: what is done next is about that, also before the list was drawn anew.
  const newest = new Map();
  const hear = (one) => {
    if (one.v >= (newest.get(one.id)?.v ?? 0)) newest.set(one.id, one);
  };
  const alertsOf = (tr) => JSON.parse(tr.dataset.alerts).map((one) => newest.get(one.id) ?? one);
  document.addEventListener("acted", (event) => event.detail.alerts.forEach(hear));
  const selected = () => {
    const some = rows().filter((tr) => chosen.has(tr.dataset.patient));
    if (some.length) return some;
    const here = row(current) ?? rows()[0];
    return here ? [here] : [];
  };
  // A name within a sentence, whatever direction it is written in.
  const isolated = (name) => `\u2068${name}\u2069`;
  const nameOf = (tr) => isolated($(".opens", tr).textContent.trim());

  function mark() {
    if (!row(current)) current = rows()[0]?.dataset.patient ?? null;
    for (const tr of rows()) {
      const is = chosen.has(tr.dataset.patient);
      tr.classList.toggle("chosen", is);
      tr.classList.toggle("current", tr.dataset.patient === current);
      $("input", tr).checked = is;
    }
    const some = selected();
    const { none, one, several } = texts();
    const said = !some.length ? none : some.length === 1 ? one.replace("{who}", nameOf(some[0])) : several.replace("{n}", some.length);
    const place = document.getElementById("chosen");
    if (place && place.textContent !== said) place.textContent = said;
    document.getElementById("bar")?.classList.toggle("has-offer", some.some((tr) => alertsOf(tr).some((one) => one.can.includes("a"))));
    for (const whom of all("[data-for-whom]")) whom.textContent = said;
  }

  function goTo(tr, { focus = true } = {}) {
    if (!tr) return;
    current = tr.dataset.patient;
    if (focus) $(".opens", tr).focus();
    mark();
  }
  function step(by) {
    const list = rows();
    const at = list.indexOf(row(current));
    const focused = document.activeElement?.closest("#worklist tr");
    goTo(list[Math.min(Math.max(focused ? at + by : at, 0), list.length - 1)]);
  }
  document.addEventListener("focusin", (event) => {
    const tr = event.target.closest("#worklist tbody tr");
    if (tr && tr.dataset.patient !== current) goTo(tr, { focus: false });
  });
  document.addEventListener("change", (event) => {
    const tr = event.target.closest("#worklist tbody tr");
    if (!tr) return;
    chosen[event.target.checked ? "add" : "delete"](tr.dataset.patient);
    mark();
  });
  document.addEventListener("click", (event) => {
    const tr = event.target.closest("#worklist tbody tr");
    if (tr) goTo(tr, { focus: false });
  });

  // ---- Keys of this room that click nothing.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if ($("dialog[open]")) return;
    const field = event.target.closest("input, textarea, select");
    if (field && !(field.type === "checkbox" && field.closest("#worklist"))) {
      if (event.key === "Escape") field.blur();
      return;
    }
    const keys = {
      j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
      x: () => {
        const tr = row(current);
        if (!tr) return;
        chosen[chosen.has(current) ? "delete" : "add"](current);
        mark();
      },
      A: () => {
        const every = rows().map((tr) => tr.dataset.patient);
        const has = every.every((patient) => chosen.has(patient));
        every.forEach((patient) => chosen[has ? "delete" : "add"](patient));
        mark();
      },
      Escape: () => {
        chosen.clear();
        mark();
      },
    };
    if (event.key === "Enter" && !event.target.closest("a, button, summary") && row(current)) {
      event.preventDefault();
      return $(".opens", row(current)).click();
    }
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("click", (event) => {
    const to = event.target.closest("[data-focuses]");
    if (to) to.focus();
  });

  // ---- Acts: whatever is sent from a [data-act] is about who was selected when the key was pressed. They wait for
  // each other (hx-sync), so that each is about the version that the one before left.
  const meant = new WeakMap();
  // What was searched for stands in no address and comes back in no answer.
  let searched = null;
  document.addEventListener("htmx:confirm", (event) => {
    const { triggeringEvent: by, elt } = event.detail;
    if (by && elt.closest("[data-act]") && !meant.has(by)) meant.set(by, selected().map((tr) => JSON.parse(tr.dataset.alerts)));
  });

  // Of each patient what the act fits; where it fits nothing, all: the answer then says why not.
  function aboutWhat(act, by) {
    const patients = (meant.get(by) ?? selected().map((tr) => JSON.parse(tr.dataset.alerts))).map((alerts) => alerts.map((one) => newest.get(one.id) ?? one));
    if (act === "one" || act === "*") return patients.flatMap((alerts) => alerts.slice(0, 1));
    return patients.flatMap((alerts) => {
      const fitting = alerts.filter((one) => one.can.includes(act));
      return fitting.length ? fitting : alerts;
    });
  }

  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters, triggeringEvent } = event.detail;
    // What is shown already need not come again; what waits is not shown yet.
    if (elt.id === "list" && elt.hasAttribute("hx-get") && !showing && !waiting) parameters.mark = elt.dataset.mark;
    if (elt.id === "search") searched = parameters.name;
    if (elt.id === "list" && !elt.hasAttribute("hx-get")) parameters.name = searched;
    if (elt.id === "search" || (elt.id === "list" && !elt.hasAttribute("hx-get")) || elt.closest("[data-with-filter]")) {
      parameters["sought:json"] = JSON.stringify(filter());
      return;
    }
    const act = elt.closest("[data-act]")?.dataset.act;
    if (!act) return;
    const about = aboutWhat(act, triggeringEvent);
    if (!about.length) return event.preventDefault();
    if (act === "one") {
      parameters["alert_id"] = about[0].id;
      parameters["version:number"] = about[0].v;
      return;
    }
    about.slice(0, 100).forEach((one, place) => {
      parameters[`alerts.${place}.alert_id`] = one.id;
      parameters[`alerts.${place}.version:number`] = one.v;
    });
  });
  // Who goes elsewhere right after a key takes no act back by that: the page stays until it was done.
  let acting = 0;
  let elsewhere = null;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.closest("[data-act]")) acting += 1;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.elt.closest?.("[data-act]")) return;
    acting -= 1;
    if (!acting && elsewhere) location.assign(elsewhere);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!acting || !link || link.hasAttribute("hx-get") || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    elsewhere = link.href;
  });

  function filter() {
    const values = Object.fromEntries(new FormData(document.getElementById("filter")));
    return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  }
  document.addEventListener("htmx:beforeSwap", (event) => {
    const dialog = event.detail.requestConfig?.elt.closest("dialog[open]");
    if (dialog && event.detail.xhr.status >= 400 && $("[data-said]", dialog)) event.detail.target = $("[data-said]", dialog);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const dialog = event.detail.elt.closest?.("dialog[open]");
    if (!dialog || !event.detail.successful) return;
    dialog.close();
    all("form", dialog).forEach((form) => form.reset());
    all("[data-said]", dialog).forEach((place) => place.replaceChildren());
    if (event.detail.elt.closest("[data-act]")) chosen.clear();
    mark();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.elt.matches?.("#bar [data-act]")) {
      chosen.clear();
      mark();
    }
  });

  // ---- Looking again: at once, then no more often than the server can bear.
  const SOONEST_MS = 100;
  const SUMMARY_MS = 60_000;
  const OWN_SUMMARY_MS = 15_000;
  const NO_ANSWER_MS = 30_000;
  let sums = null;
  let lookedAt = 0;
  let looking = false;
  let again = null;
  let summedAt = Date.now();
  let took = 0;

  // Not to the page around it: that would make everything look again.
  const lookAgain = (part) => $(part)?.dispatchEvent(new CustomEvent("changed"));

  function look() {
    if (again) return;
    const wait = Math.max(0, lookedAt + Math.max(SOONEST_MS, 4 * took) - Date.now());
    again = setTimeout(() => {
      again = null;
      if (looking && Date.now() - lookedAt < NO_ANSWER_MS) return look();
      lookAgain("#list");
    }, wait);
  }
  document.body.addEventListener("changed", () => {
    look();
    if (Date.now() - summedAt > SUMMARY_MS) {
      summedAt = Date.now();
      lookAgain("#summary");
    }
  });
  document.addEventListener("acted", () => {
    clearTimeout(sums);
    sums = setTimeout(() => {
      summedAt = Date.now();
      lookAgain("#summary");
    }, Math.max(0, summedAt + OWN_SUMMARY_MS - Date.now()));
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id !== "list") return;
    looking = true;
    lookedAt = Date.now();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "list") return;
    looking = false;
    took = Date.now() - lookedAt;
  });

  // ---- While the pointer or the focus is in the list, rows change where they are; what is new waits.
  let pointed = false;
  let showing = false;
  let waiting = 0;
  const busy = () => !showing && (pointed || document.getElementById("list").contains(document.activeElement));
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const now = Boolean(event.target.closest?.("#list"));
    if (pointed && !now) release();
    pointed = now;
  });
  document.documentElement.addEventListener("pointerleave", () => {
    pointed = false;
    release();
  });
  document.addEventListener("focusout", () => setTimeout(release, 0));
  function release() {
    if (waiting && !pointed && !busy() && !$("dialog[open]")) show();
  }
  function show() {
    showing = true;
    lookedAt = 0;
    look();
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shows]")) show();
  });

  const known = new Set();
  function announce(list, { silently = false } = {}) {
    const fresh = [];
    for (const tr of all("tbody tr[data-high]", list)) {
      const key = JSON.parse(tr.dataset.alerts)[0].id;
      if (!known.has(key) && !silently) fresh.push(isolated(tr.dataset.high));
      known.add(key);
    }
    if (fresh.length) htmx.trigger(document.body, "urgent", { text: texts().urgent.replace("{who}", fresh.join("; ")) });
  }

  function inPlace(list) {
    const coming = new Map(all("tbody tr", list).map((tr) => [tr.id, tr]));
    const body = $("tbody", list);
    const here = rows();
    if (!here.length) return 0;
    const fresh = [...coming.keys()].filter((id) => !document.getElementById(id));
    let moved = 0;
    const kept = here.map((tr) => {
      const now = coming.get(tr.id);
      if (now) {
        moved += now.dataset.rank !== tr.dataset.rank;
        return now;
      }
      const gone = tr.cloneNode(true);
      gone.classList.add("gone");
      $(".why", gone).dataset.gone = texts().gone;
      return gone;
    });
    if (body) body.replaceChildren(...kept);
    return fresh.length + moved + kept.filter((tr) => tr.classList.contains("gone")).length;
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "list" || event.detail.xhr.status >= 400) return;
    const parsed = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    const list = parsed.getElementById("list");
    if (!list) return;
    const asked = event.detail.requestConfig?.elt;
    for (const tr of all("tbody tr", list)) JSON.parse(tr.dataset.alerts).forEach(hear);
    announce(list);
    waiting = 0;
    const byItself = asked?.id === "list";
    if (byItself && busy()) {
      if (!$("tbody", list)) {
        // Everything is gone: the rows stay where they are until the pointer is elsewhere.
        const table = document.getElementById("worklist")?.cloneNode(true);
        if (table) {
          $("tbody", table).replaceChildren();
          list.replaceChildren(table);
        }
      }
      waiting = inPlace(list);
      event.detail.serverResponse = list.outerHTML;
    } else if (byItself) showing = false;
    const banner = document.getElementById("waiting");
    banner.hidden = waiting === 0;
    const words = $("[data-waiting]", banner);
    words.textContent = words.dataset.waiting.replace("{n}", waiting);
  });

  const seen = () => row($("[data-detail]")?.dataset.detail)?.dataset.alerts ?? "";
  let before = "";
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "detail") before = seen();
    if (event.detail.target.id !== "list" && event.detail.elt.id !== "list") return;
    mark();
    if ($("[data-detail]") && seen() !== before) {
      before = seen();
      lookAgain("[data-detail]");
    }
  });
  if (matchMedia("(max-width: 48rem)").matches) $(".finding").open = false;
  for (const tr of rows()) JSON.parse(tr.dataset.alerts).forEach(hear);
  announce(document, { silently: true });
  mark();
})();
