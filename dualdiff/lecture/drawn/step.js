"use strict";
// Everything is on the page already, for readers without script and for print; this hides what is not reached yet.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const named = (id) => document.getElementById(id);

  const passes = all(".steps section");
  const steps = all(".steps li");
  const rows = new Map(all("tbody tr").map((row) => [row.dataset.row, row]));
  const heads = all("thead th[data-pass]");
  const graph = document.querySelector(".dd-graph");
  const boxes = new Map(all(".box", graph).map((box) => [box.dataset.row, box]));
  const edges = all(".edge", graph);
  const jumps = all(".passes button");
  const passOf = steps.map((step) => passes.indexOf(step.closest("section")));
  const starts = passes.map((_, pass) => passOf.indexOf(pass));
  const cells = steps.map((step, i) => rows.get(step.dataset.row).querySelector(`[data-pass="${passOf[i]}"]`));
  const last = steps.length - 1;
  const slider = named("slider");
  let now = -1;
  let tabbed = null; // a frame that the reader reached by keyboard scrolls by keyboard

  /** Bring an element into view by scrolling the frame around it, and nothing else. */
  function reveal(element) {
    const frame = element.closest(".scroll");
    const [inner, outer] = [element.getBoundingClientRect(), frame.getBoundingClientRect()];
    const margin = Math.min(40, outer.width / 10, outer.height / 10);
    const off = (low, high, from, to) => (low < from + margin || high > to - margin ? (low + high - from - to) / 2 : 0);
    frame.scrollBy(
      off(inner.left, inner.right, outer.left, outer.right),
      off(inner.top, inner.bottom, outer.top, outer.bottom),
    );
  }

  function drawGraph(pass) {
    const reached = new Map(); // row: the text its box holds in this pass
    for (let i = starts[pass]; i <= now; i += 1) reached.set(steps[i].dataset.row, steps[i].dataset.box);
    const current = steps[now].dataset.row;
    const backwards = passes[pass].dataset.sweep === "reverse";
    graph.classList.toggle("reverse", backwards);
    for (const [row, box] of boxes) {
      box.classList.toggle("done", reached.has(row));
      box.classList.toggle("now", row === current);
      const value = box.querySelector(".value");
      value.classList.toggle("blank", pass === 0 && !reached.has(row));
      box.querySelector(".moving").textContent = pass === 0 ? "" : reached.get(row) || "";
    }
    for (const edge of edges) {
      edge.classList.toggle("now", (backwards ? edge.dataset.from : edge.dataset.to) === current);
    }
    reveal(boxes.get(current));
  }

  function drawTable(pass) {
    const current = steps[now].dataset.row;
    for (const [row, line] of rows) {
      line.classList.toggle("now", row === current);
      if (row === current) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    }
    cells.forEach((cell, i) => {
      cell.classList.toggle("blank", i > now);
      cell.classList.toggle("done", i <= now && passOf[i] === pass);
      cell.classList.toggle("now", i === now);
    });
    heads.forEach((head) => head.classList.toggle("now", Number(head.dataset.pass) === pass));
    reveal(cells[now]);
  }

  function drawBar(pass) {
    const { sweep, turn, totals } = passes[pass].dataset;
    const { spent, said } = steps[now].dataset;
    named("sweep").textContent = sweep;
    named("pass").textContent = turn;
    named("step").textContent = `${now + 1} of ${steps.length}`;
    named("operations").textContent = spent || (totals ? "" : "none yet");
    named("totals").textContent = totals ? `${spent ? "of" : "in all"} ${totals}` : "";
    slider.value = now + 1;
    slider.setAttribute("aria-valuetext", `step ${now + 1} of ${steps.length}, ${passes[pass].querySelector("h3").textContent}`);
    named("said").textContent = said;
    jumps.forEach((jump, i) => (i === pass ? jump.setAttribute("aria-current", "true") : jump.removeAttribute("aria-current")));
    for (const [end, pair] of [[0, ["first", "previous"]], [last, ["last", "next"]]]) {
      const inward = named(end === 0 ? "next" : "previous");
      const leaving = now === end && pair.includes(document.activeElement.id);
      pair.forEach((id) => (named(id).disabled = now === end));
      if (leaving && last > 0) {
        inward.disabled = false;
        inward.focus(); // a button that is switched off would drop the reader's focus
      }
    }
  }

  function show(step) {
    const to = Math.min(Math.max(step, 0), last);
    if (to === now || Number.isNaN(to)) return; // not a number: there is no such sweep
    now = to;
    const pass = passOf[now];
    document.body.dataset.sweep = passes[pass].dataset.sweep;
    passes.forEach((section, i) => section.classList.toggle("off", i !== pass));
    steps.forEach((item, i) => item.classList.toggle("off", i !== now));
    drawGraph(pass);
    drawTable(pass);
    drawBar(pass);
    try {
      history.replaceState(null, "", `#${now + 1}`);
    } catch {
      // in a frame without an address of its own there is nothing to keep
    }
  }

  const moves = {
    First: () => 0, Home: () => 0, ArrowLeft: () => now - 1, ArrowRight: () => now + 1, End: () => last,
    f: () => starts[passes.findIndex((pass) => pass.dataset.sweep === "forward")],
    r: () => starts[passes.findIndex((pass) => pass.dataset.sweep === "reverse")],
  };
  document.addEventListener("keydown", (event) => {
    const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === tabbed && tabbed.scrollWidth > tabbed.clientWidth && event.key.length > 1) return;
    event.preventDefault();
    show(move());
  });
  named("first").addEventListener("click", () => show(0));
  named("previous").addEventListener("click", () => show(now - 1));
  named("next").addEventListener("click", () => show(now + 1));
  named("last").addEventListener("click", () => show(last));
  slider.addEventListener("input", () => show(Number(slider.value) - 1));
  jumps.forEach((jump, pass) => jump.addEventListener("click", () => show(starts[pass])));

  const linked = () => (/^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) - 1 : 0);
  window.addEventListener("hashchange", () => show(linked()));

  const frames = all(".scroll");
  const focusable = () => frames.forEach((frame) => {
    if (frame.scrollWidth > frame.clientWidth || frame.scrollHeight > frame.clientHeight) frame.tabIndex = 0;
    else frame.removeAttribute("tabindex");
  });
  window.addEventListener("resize", focusable);
  frames.forEach((frame) => frame.addEventListener("focus", () => (tabbed = frame.matches(":focus-visible") ? frame : null)));

  document.documentElement.classList.add("stepping");
  document.querySelector(".bar").hidden = false;
  show(linked());
  focusable();
})();
