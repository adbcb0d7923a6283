// The charts of a patient: drawn from columns of numbers, with limits, the usual, findings, actions and what is missing.
"use strict";
(() => {
  const charts = document.getElementById("charts");
  if (!charts) return;
  const said = charts.dataset;
  const drawn = new Map();
  let days = Number(said.days);
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dutch = said.language === "nl";

  // ---- From the wire: differences from the one before, values in thousandths.
  function summed(differences, scale) {
    const column = new Float64Array(differences.length);
    let sum = 0;
    for (let n = 0; n < differences.length; n++) {
      sum += differences[n];
      column[n] = scale === 1 ? sum : sum / scale;
    }
    return column;
  }

  function table(series, scale) {
    const at = summed(series.at, 1);
    const value = summed(series.value, scale);
    if (!series.gaps.length) return [Array.from(at), Array.from(value)];
    // A gap stays one: nothing is drawn across it.
    const xs = [], ys = [];
    let gap = 0;
    for (let n = 0; n < at.length; n++) {
      xs.push(at[n]);
      ys.push(value[n]);
      if (gap < series.gaps.length && at[n] === series.gaps[gap][0]) {
        xs.push((series.gaps[gap][0] + series.gaps[gap][1]) / 2);
        ys.push(null);
        gap++;
      }
    }
    return [xs, ys];
  }

  function bandTable(series, which) {
    const xs = [], ys = [];
    for (const [at, low, high] of series.usual) {
      xs.push(at, at + 86_399);
      ys.push(which === "low" ? low : high, which === "low" ? low : high);
    }
    return [xs, ys];
  }

  const COLOURS = ["--accent", "--silence"];
  const SYMBOLS = { acknowledged: "◔", resolved: "✓", reopened: "↺", escalated: "⇧", escalation_answered: "⇩", called: "☎", entered: "✎" };

  function layout(wire) {
    const tables = [], series = [{ label: said.saidTime, value: (_, at) => (at == null ? "" : moment(at)) }], bands = [];
    wire.series.forEach((one, place) => {
      const points = one.at.length;
      tables.push(table(one, wire.scale));
      series.push({
        label: one.label,
        stroke: style(COLOURS[place % 2]),
        width: points > 2000 ? 1 : 1.5,
        dash: place % 2 ? [6, 3] : undefined,
        spanGaps: false,
        points: { show: points < 400, size: 6, fill: style(COLOURS[place % 2]) },
        value: (_, value) => (value == null ? "–" : `${number(value)} ${one.unit}`),
      });
    });
    wire.series.forEach((one) => {
      if (!one.usual.length) return;
      tables.push(bandTable(one, "high"), bandTable(one, "low"));
      const place = series.length;
      for (const edge of ["▲", "▼"]) {
        series.push({ label: `${said.saidUsual} ${edge}`, stroke: style("--done"), width: 0.5, points: { show: false }, spanGaps: false, value: (_, value) => (value == null ? "–" : number(value)) });
      }
      bands.push({ series: [place, place + 1], fill: `${style("--done")}26` });
    });
    return { series, bands, data: tables.length > 1 ? uPlot.join(tables) : tables[0] };
  }

  const number = (value) => value.toLocaleString(dutch ? "nl-NL" : "en-GB", { maximumFractionDigits: 2 });
  const moment = (at) => new Date(at * 1000).toLocaleString(dutch ? "nl-NL" : "en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: document.body.dataset.zone });

  // ---- Drawn beneath and above the lines.
  function beneath(plot, wire) {
    const { ctx, bbox } = plot;
    const x = (at) => plot.valToPos(at, "x", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const shade of wire.shades) {
      const left = x(shade.from), right = Math.max(x(shade.to), x(shade.from) + 2);
      ctx.fillStyle = `${style(`--${shade.severity}`)}22`;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.fillStyle = style(`--${shade.severity}`);
      ctx.fillRect(left, bbox.top, right - left, 3 * devicePixelRatio);
    }
    for (const series of wire.series) {
      for (const [from, to] of series.gaps) hatch(ctx, x(from), x(to), bbox);
    }
    ctx.restore();
  }

  function hatch(ctx, left, right, bbox) {
    ctx.strokeStyle = `${style("--silence")}40`;
    ctx.lineWidth = devicePixelRatio;
    const step = 9 * devicePixelRatio, low = bbox.top + bbox.height, high = low - 14 * devicePixelRatio;
    ctx.beginPath();
    for (let at = left; at < right; at += step) {
      ctx.moveTo(at, low);
      ctx.lineTo(at + 7 * devicePixelRatio, high);
    }
    ctx.stroke();
  }

  function above(plot, wire) {
    const { ctx, bbox } = plot;
    const x = (at) => plot.valToPos(at, "x", true);
    const within = (at) => x(at) >= bbox.left - 1 && x(at) <= bbox.left + bbox.width + 1;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    const written = [];
    for (const level of wire.levels) {
      const y = plot.valToPos(level.value, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      const right = level.until ? Math.min(x(level.until), bbox.left + bbox.width) : bbox.left + bbox.width;
      ctx.strokeStyle = style(level.personal ? "--high" : "--medium");
      ctx.lineWidth = (level.personal ? 2 : 1) * devicePixelRatio;
      ctx.setLineDash([7 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(right, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = style(level.personal ? "--high" : "--medium");
      ctx.textAlign = "right";
      ctx.textBaseline = level.upwards ? "bottom" : "top";
      const apart = 14 * devicePixelRatio;
      const beside = written.filter((one) => Math.abs(one - y) < apart).length;
      written.push(y);
      ctx.fillText(`${said.saidLimit} ${number(level.value)}`, bbox.left + bbox.width - 4 - beside * 80 * devicePixelRatio, y);
    }
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    for (const mark of wire.marks) {
      if (!within(mark.at)) continue;
      ctx.strokeStyle = `${style("--faint")}80`;
      ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x(mark.at), bbox.top);
      ctx.lineTo(x(mark.at), bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = style("--ink");
      ctx.fillText(SYMBOLS[mark.what] ?? "•", x(mark.at), bbox.top - 13 * devicePixelRatio);
    }
    ctx.fillStyle = style("--silence");
    ctx.textBaseline = "bottom";
    for (const at of wire.missed) if (within(at)) ctx.fillText("◌", x(at), bbox.top + bbox.height - 1);
    ctx.strokeStyle = style("--ink");
    ctx.lineWidth = 2 * devicePixelRatio;
    for (const series of wire.series) {
      const at = series.entered.length ? summed(series.at, 1) : [], value = series.entered.length ? summed(series.value, wire.scale) : [];
      for (const place of series.entered) {
        if (!within(at[place])) continue;
        ctx.strokeRect(x(at[place]) - 5 * devicePixelRatio, plot.valToPos(value[place], "y", true) - 5 * devicePixelRatio, 10 * devicePixelRatio, 10 * devicePixelRatio);
      }
    }
    ctx.restore();
  }

  function range(now) {
    return (_, low, high) => {
      const wire = now();
      if (low == null) [low, high] = [0, 1];
      // Limits near the readings are seen with them; small changes must not look like large ones.
      const span = Math.max(high - low, Math.abs(high) * 0.05, 1e-6);
      for (const level of wire.levels) {
        if (level.value > low - span && level.value < high + span) [low, high] = [Math.min(low, level.value), Math.max(high, level.value)];
      }
      return [low - span * 0.12, high + span * 0.12];
    };
  }

  function options(card, wire, width) {
    const { series, bands } = layout(wire);
    // What is drawn changes beneath the same plot: another stretch of time, another limit.
    const now = () => drawn.get(card).wire;
    const axis = { stroke: style("--faint"), grid: { stroke: `${style("--strong-line")}38`, width: 1 }, ticks: { stroke: style("--line") }, font: "12px system-ui, sans-serif" };
    return {
      width, height: 260, series, bands, padding: [18, 22, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), document.body.dataset.zone),
      scales: { x: { time: true, range: (_, low, high) => (card.dataset.zoomed ? [low, high] : [now().from, now().to]) }, y: { range: range(now) } },
      axes: [{ ...axis, values: dates }, { ...axis, size: 56, values: (_, ticks) => ticks.map(number) }],
      cursor: { drag: { x: true, y: false }, sync: { key: "patient" } },
      hooks: {
        drawClear: [(plot) => beneath(plot, now())],
        draw: [(plot) => above(plot, now()), (plot) => { card.dataset.shownDays = Math.round((plot.scales.x.max - plot.scales.x.min) / 86_400); }],
        setSelect: [(plot) => { if (plot.select.width > 0) { card.dataset.zoomed = "true"; zoomedOut(false); } }],
      },
    };
  }

  function dates(_, ticks, __, ___, step) {
    const format = step < 86_400 ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" };
    return ticks.map((at, place) => {
      const date = new Date(at * 1000);
      const short = date.toLocaleString(dutch ? "nl-NL" : "en-GB", { ...format, timeZone: document.body.dataset.zone });
      const begins = step < 86_400 && place === 0;
      return begins ? `${short}\n${date.toLocaleDateString(dutch ? "nl-NL" : "en-GB", { day: "numeric", month: "short", timeZone: document.body.dataset.zone })}` : short;
    });
  }

  function draw(card, wire) {
    const began = performance.now();
    const place = card.querySelector(".plot");
    const former = drawn.get(card);
    const points = wire.series.reduce((sum, one) => sum + one.at.length, 0);
    if (former && former.wire.series.length === wire.series.length && former.bands === bandCount(wire)) {
      const { min, max } = former.plot.scales.x;
      former.wire = wire;
      former.plot.setData(layout(wire).data, !card.dataset.zoomed);
      if (card.dataset.zoomed) former.plot.setScale("x", { min, max });
    } else {
      former?.plot.destroy();
      drawn.set(card, { wire, bands: bandCount(wire), plot: null });
      const plot = new uPlot(options(card, wire, place.clientWidth), layout(wire).data, place);
      drawn.get(card).plot = plot;
      plot.redraw();
    }
    card.dataset.points = points;
    // uPlot draws when the browser next paints; that is when it is seen.
    requestAnimationFrame(() => {
      card.dataset.drawnMs = (performance.now() - began).toFixed(1);
      card.removeAttribute("aria-busy");
    });
  }
  const bandCount = (wire) => wire.series.filter((one) => one.usual.length).length;

  // ---- Fetching: each chart by itself; what is by itself keeps no session alive.
  async function load(card, byItself) {
    const headers = { "HX-Request": "true", ...(byItself ? { "X-By-Itself": "true" } : {}) };
    const beside = card.querySelector(".beside");
    try {
      const response = await fetch(`${card.dataset.series}?days=${days}`, { headers });
      if (!response.ok) throw new Error(response.status);
      const wire = await response.json();
      put(beside, wire.html);
      draw(card, wire);
    } catch (error) {
      if (!drawn.has(card)) beside.textContent = said.saidFailed;
      card.dataset.failed = String(error);
      card.removeAttribute("aria-busy");
    }
  }

  function put(beside, html) {
    const open = [...beside.querySelectorAll("details[open]")].map((one) => one.dataset.kept);
    Idiomorph.morph(beside, html, { morphStyle: "innerHTML", ignoreActiveValue: true });
    for (const kept of open) beside.querySelector(`details[data-kept="${kept}"]`)?.setAttribute("open", "");
    htmx.process(beside);
  }

  const cards = [...charts.querySelectorAll("[data-series]")];
  const loadAll = (byItself) => Promise.all(cards.map((card) => load(card, byItself)));
  loadAll(false);
  document.body.addEventListener("series", () => loadAll(true));
  // Readings come without an alert as well: the page looks by itself once a minute, while somebody can see it.
  setInterval(() => { if (!document.hidden) document.body.dispatchEvent(new CustomEvent("changed", { bubbles: true })); }, 60_000);

  // ---- How far back, and zoom.
  const back = charts.querySelector("[data-zoom-out]");
  function zoomedOut(all) {
    back.hidden = all;
    if (!all) return;
    for (const [card, one] of drawn) {
      delete card.dataset.zoomed;
      one.plot.setScale("x", { min: one.wire.from, max: one.wire.to });
    }
  }
  charts.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button === back) zoomedOut(true);
    if (!button?.dataset.days) return;
    days = Number(button.dataset.days);
    for (const one of charts.querySelectorAll("[data-days][aria-pressed]")) one.setAttribute("aria-pressed", String(one === button));
    const address = new URL(location.href);
    address.searchParams.set("days", days);
    history.replaceState(null, "", address);
    zoomedOut(true);
    loadAll(false);
  });
  new ResizeObserver(() => {
    for (const [card, one] of drawn) one.plot?.setSize({ width: card.querySelector(".plot").clientWidth, height: 260 });
  }).observe(charts);

  // ---- A reading is corrected: which one it is stays in the page, and in no address.
  let meant = null;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-corrects]");
    if (!button) return;
    meant = { at: button.dataset.at, device: button.dataset.device, said: button.closest("tr").querySelector("th").textContent };
    htmx.ajax("GET", button.dataset.form, { target: "#dialog-content", source: button });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "dialog-content" || !meant) return;
    for (const place of event.detail.target.querySelectorAll("[data-filled]")) {
      if (place.tagName === "INPUT") place.value = meant[place.dataset.filled];
      else place.textContent = meant[place.dataset.filled];
    }
    meant = null;
  });
  document.addEventListener("change", (event) => {
    for (const place of event.target.form?.querySelectorAll("[data-only-if]") ?? []) {
      const [name, value] = place.dataset.onlyIf.split("=");
      const chosen = event.target.form.elements[name].value === value;
      place.hidden = !chosen;
      for (const field of place.querySelectorAll("input, select")) field.disabled = !chosen;
    }
  });
})();
