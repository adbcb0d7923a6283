// What all pages have in common: forms as JSON, the live connection, dialogs, keys, what was said.
"use strict";
(() => {
  const body = () => document.body;
  const element = (id) => document.getElementById(id);

  // ---- Forms. A name says where a value goes and what it is: "change.limits.fluid:number", "until:time".
  const KINDS = {
    time: (value) => new Date(value).toISOString(),
    number: (value) => (Number.isFinite(Number(value.replace(",", "."))) ? Number(value.replace(",", ".")) : value),
    date: (value) => value.trim().replace(/^(\d{1,2})[-/. ]?(\d{1,2})[-/. ]?(\d{4})$/, (_, day, month, year) =>
      `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`),
    bool: (value) => value === "true" || value === "on",
    json: (value) => JSON.parse(value),
    null: (value) => value,
    list: (value) => value,
    jsons: (value) => JSON.parse(value),
  };

  function nested(parameters) {
    const root = {};
    parameters.forEach((value, key) => {
      const [path, kind] = key.split(":");
      if (value === "" && kind !== "null") return;
      const said = value === "" ? null : kind ? KINDS[kind](value) : value;
      const parts = path.split(".");
      let at = root;
      parts.slice(0, -1).forEach((part, place) => {
        at[part] ??= /^\d+$/.test(parts[place + 1]) ? [] : {};
        at = at[part];
      });
      const last = parts[parts.length - 1];
      if (kind === "list" || kind === "jsons") (at[last] ??= []).push(said);
      else at[last] = said;
    });
    // Numbered entries of which some were left empty close ranks.
    return JSON.parse(JSON.stringify(root), (_, value) => (Array.isArray(value) ? value.filter((one) => one !== null) : value));
  }

  htmx.defineExtension("form-json", {
    onEvent(name, event) {
      if (name === "htmx:configRequest" && event.detail.verb !== "get") {
        event.detail.headers["Content-Type"] = "application/json";
      }
    },
    encodeParameters: (_xhr, parameters) => JSON.stringify(nested(parameters)),
  });

  // ---- What the page asks by itself keeps no session alive; what a person does, does.
  document.addEventListener("htmx:configRequest", (event) => {
    if (["changed", "delayed"].includes(event.detail.triggeringEvent?.type)) event.detail.headers["X-By-Itself"] = "true";
  });
  const csrf = () => JSON.parse(body().getAttribute("hx-headers"));
  const HERE_EVERY_MS = 240_000;
  let here = Date.now();
  for (const sign of ["pointerdown", "keydown"]) {
    document.addEventListener(sign, () => {
      if (Date.now() - here < HERE_EVERY_MS) return;
      here = Date.now();
      fetch("/console/here", { method: "POST", headers: { ...csrf(), "HX-Request": "true" } }).catch(() => {});
    }, { passive: true });
  }

  // ---- The live connection: one for a browser, held by whichever tab has the lock; the others hear from it.
  const channel = new BroadcastChannel("thuiswacht-live");
  let cutOffAt = null;
  let leaves = false;

  const happened = (what) => document.body.dispatchEvent(new CustomEvent(what, { bubbles: true }));

  function heard(message) {
    if (message === "changed" || message === "delayed") {
      setCutOff(null);
      happened(message);
    } else if (message === "ended") leaves || location.reload();
    else setCutOff(message.cutOffAt);
  }

  function setCutOff(at) {
    if (at === cutOffAt) return;
    cutOffAt = at;
    const banner = element("cut-off");
    banner.hidden = at === null;
    banner.textContent = at === null ? "" : body().dataset.saidCutOff.replace("{at}", clock(at));
  }

  const clock = (at) =>
    new Intl.DateTimeFormat("nl", { hour: "2-digit", minute: "2-digit", timeZone: body().dataset.zone }).format(at);

  channel.onmessage = (event) => heard(event.data);
  const tell = (message) => {
    channel.postMessage(message);
    heard(message);
  };

  function listen() {
    return new Promise(() => {
      let source = null;
      let waits = null;
      const open = () => {
        source = new EventSource("/console/events");
        for (const what of ["changed", "delayed"]) {
          source.addEventListener(what, () => {
            clearTimeout(waits);
            waits = null;
            tell(what);
          });
        }
        source.addEventListener("away", (event) => {
          clearTimeout(waits);
          waits = null;
          tell({ cutOffAt: Number(event.data) });
        });
        source.addEventListener("ended", () => tell("ended"));
        source.onerror = () => {
          const at = cutOffAt ?? Date.now();
          waits ??= setTimeout(() => tell({ cutOffAt: at }), 2_000);
          if (source.readyState === EventSource.CLOSED) setTimeout(again, 2_000);
        };
      };
      // Closed for good: the server answered otherwise than with a stream. Nobody is logged in any more, or it starts.
      const again = async () => {
        const headers = { "X-By-Itself": "true", "HX-Request": "true" };
        const answer = await fetch("/console/delays", { headers }).catch(() => null);
        if (answer?.status === 401) tell("ended");
        else open();
      };
      open();
    });
  }
  window.addEventListener("load", () => {
    if (element("delays")) navigator.locks.request("thuiswacht-live", listen);
  });

  // ---- What was said, with a way back.
  function say(text, undo) {
    const box = document.createElement("div");
    box.className = "banner done";
    const words = document.createElement("span");
    words.textContent = text;
    box.append(words);
    if (undo) {
      const back = document.createElement("button");
      back.type = "button";
      back.textContent = `${body().dataset.saidUndo} (z)`;
      back.dataset.key = "z";
      back.addEventListener("click", () => {
        box.remove();
        htmx.ajax("POST", undo.address, { values: undo.values ?? {}, swap: "none", source: body() });
      });
      box.append(back);
    }
    element("said").replaceChildren(box);
    setTimeout(() => box.remove(), undo ? 30_000 : 8_000);
  }
  document.addEventListener("said", (event) => say(event.detail.text, event.detail.undo));
  document.addEventListener("urgent", (event) => {
    element("urgent").textContent = event.detail.text;
  });

  // ---- Dialogs: whatever is put into #dialog-content opens; `close-dialog` closes.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "dialog-content" && !element("dialog").open) element("dialog").showModal();
  });
  document.addEventListener("close-dialog", () => element("dialog").close());
  document.addEventListener("htmx:beforeSwap", (event) => {
    // What went wrong is said where it was asked: a banner behind an open dialog would not be seen.
    if (event.detail.xhr.status >= 400 && element("dialog")?.open) {
      const place = element("dialog").querySelector("[data-said]");
      if (place) event.detail.target = place;
    }
  });

  // ---- Buttons without an address of their own.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.opens) element(button.dataset.opens).showModal();
    if (button.hasAttribute("data-closes")) (button.closest("dialog")?.open ? button.closest("dialog").close() : button.closest(".banner").remove());
    if (button.dataset.logsOut) leave(button.dataset.logsOut);
    if (button.dataset.becomes) become(button.dataset.becomes, button.dataset.organisation);
  });

  async function leave(address) {
    // From here on that the session has ended is no news, and drawing the page anew would stop what leads away.
    leaves = true;
    const response = await fetch(address, { method: "POST", headers: csrf() });
    location.assign(response.ok ? (await response.json()).continue_at : "/login");
  }

  async function become(role, organisation) {
    const response = await fetch("/login/role", {
      method: "POST",
      headers: { ...csrf(), "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ role, organisation }),
    });
    if (response.ok) location.assign("/console");
    else location.reload();
  }

  // ---- Keys. A page gives its own by data-key on what would be clicked; they rest while somebody types.
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (going && /^[1-9]$/.test(event.key)) {
      document.querySelectorAll("header nav a")[Number(event.key) - 1]?.click();
      going = false;
      return;
    }
    going = event.key === "g";
    const dialog = document.querySelector("dialog[open]");
    if (event.key === "?" && !dialog) return element("help").showModal();
    const place = dialog ?? document;
    if (event.key === "/") {
      const search = place.querySelector("input[type=search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
      return;
    }
    const wanted = place.querySelector(`[data-key="${CSS.escape(event.key)}"]:not([disabled])`);
    if (wanted) {
      event.preventDefault();
      wanted.click();
    }
  });
})();
