// One time axis for all panels: drag to zoom, cross-hair with exact values, the same from the keyboard and by buttons.

const TAG = 18; // height of the tag at a panel's last value

function charts(page, columns, words) {
  const root = document.getElementById("charts");
  const said = document.getElementById("said");
  const shown = document.getElementById("shown");
  const panels = [equityPanel, drawdownPanel, pricePanel].map((make) => open(make(page, columns, words)));
  const everything = { from: page.start, to: Math.max(page.end, page.start + 1000) };
  const smallest = Math.min(everything.to - everything.from, Math.max(1000, (everything.to - everything.from) / 20000));
  let view = everything;
  let cursor = null;
  let drag = null;
  let width = 0;
  let axis = 0;
  let printing = false;

  function open(panel) {
    const figure = document.getElementById(panel.name);
    const plot = figure.querySelector(".plot");
    const svg = plot.querySelector("svg");
    for (const edge of plot.querySelectorAll(".edge")) edge.remove();
    svg.classList.remove("still");
    svg.removeAttribute("preserveAspectRatio");
    return Object.assign(panel, { figure, svg, readout: figure.querySelector(".readout") });
  }

  function layout(whole) {
    axis = whole < 560 ? 62 : 84;
    width = Math.max(120, Math.floor(whole) - axis);
    draw();
  }

  function draw() {
    const tallest = printing ? 190 : 320;
    const heights = panels.map((panel) => Math.round(Math.max(90, Math.min(tallest, (width + axis) * panel.tall))));
    panels.forEach((panel, number) => drawPanel(panel, heights[number], number === panels.length - 1));
    shown.textContent = `${words.time(view.from)} – ${words.time(view.to)} UTC`;
    point(cursor);
  }

  function drawPanel(panel, height, last) {
    const at = box(view, width, height, ...panel.range(view));
    panel.at = at;
    panel.last = last;
    const below = last ? 22 : 2;
    panel.svg.setAttribute("viewBox", `0 0 ${width + axis} ${height + below}`);
    const clip = `clip-${panel.name}`;
    panel.svg.innerHTML =
      `<defs><clipPath id="${clip}"><rect x="0" y="-8" width="${width}" height="${height + 16}"/></clipPath></defs>` +
      grid(panel, at, last) +
      `<g clip-path="url(#${clip})">${panel.draw(at)}</g><g class="over"></g>`;
  }

  function grid(panel, at, last) {
    const values = valueTicks(at.low, at.high, at.height / 38);
    let markup = "";
    for (const value of values.ticks) {
      const y = at.y(value);
      if (y < -1 || y > at.height + 1) continue;
      markup += `<line class="grid-line" x1="0" x2="${at.width}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`;
      markup += `<text class="tick" x="${at.width + 6}" y="${(y + 4).toFixed(1)}">${panel.text(value, values.digits)}</text>`;
    }
    for (const tick of timeTicks(view.from, view.to, at.width / 85)) {
      const x = at.x(tick.at);
      markup += `<line class="grid-line" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="0" y2="${at.height}"/>`;
      if (last && x > 16 && x < at.width + 10) markup += `<text class="tick" x="${x.toFixed(1)}" y="${at.height + 17}" text-anchor="middle">${tick.text}</text>`;
    }
    return markup;
  }

  /** Shows what stands at this time, or at the end of the time shown. */
  function point(time) {
    cursor = time === null ? null : Math.min(view.to, Math.max(view.from, time));
    for (const panel of panels) {
      const { at } = panel;
      const when = cursor ?? Math.min(view.to, panel.times[panel.times.length - 1]);
      panel.readout.replaceChildren(...panel.read(when, cursor === null ? null : at).map(word));
      let over = "";
      if (cursor !== null) {
        const x = at.x(cursor).toFixed(1);
        const value = panel.values[rowAt(panel.times, cursor)];
        over = `<line class="cross" x1="${x}" x2="${x}" y1="0" y2="${at.height}"/><circle class="dot" cx="${x}" cy="${at.y(value).toFixed(1)}" r="3.5"/>`;
        if (panel.last) over += tag(at, Number(x), words.time(cursor));
      }
      if (drag?.moved) {
        const [from, to] = [drag.from, drag.to].sort((a, b) => a - b);
        over += `<rect class="chosen" x="${from}" y="0" width="${to - from}" height="${at.height}"/>`;
      }
      panel.svg.querySelector(".over").innerHTML = over;
    }
  }

  function tag(at, x, text) {
    const wide = text.length * 6.3 + 12;
    const left = Math.max(0, Math.min(at.width + axis - wide, x - wide / 2));
    return (
      `<rect class="tag" x="${left.toFixed(1)}" y="${at.height + 3}" width="${wide.toFixed(1)}" height="${TAG}" rx="3"/>` +
      `<text class="tag-text" x="${(left + wide / 2).toFixed(1)}" y="${at.height + 16}" text-anchor="middle">${text}</text>`
    );
  }

  function word([text, tone]) {
    const element = document.createElement(tone === null ? "span" : "i");
    if (tone) element.className = tone;
    element.textContent = text;
    return element;
  }

  /** Shows this time: never less than the smallest, never beyond the ends. */
  function show(from, to) {
    const whole = everything.to - everything.from;
    const long = Math.min(whole, Math.max(smallest, to - from));
    const start = Math.min(everything.to - long, Math.max(everything.from, (from + to) / 2 - long / 2));
    view = { from: start, to: start + long };
    draw();
  }

  function zoom(factor) {
    const middle = cursor ?? (view.from + view.to) / 2;
    const part = (middle - view.from) / (view.to - view.from);
    const long = (view.to - view.from) * factor;
    show(middle - long * part, middle + long * (1 - part));
  }

  function move(part) {
    const by = (view.to - view.from) * part;
    show(view.from + by, view.to + by);
  }

  const acts = {
    in: () => zoom(0.5),
    out: () => zoom(2),
    earlier: () => move(-0.3),
    later: () => move(0.3),
    all: () => show(everything.from, everything.to),
  };

  /** The next or the previous point of the curve, at least three pixels away. */
  function step(direction, far) {
    const { times, at } = panels[0];
    const row = cursor === null ? (direction > 0 ? -1 : times.length) : rowAt(times, cursor);
    const from = cursor ?? (direction > 0 ? view.from : view.to);
    let next = row + direction;
    while (times[next] !== undefined && Math.abs(at.x(times[next]) - at.x(from)) < (far ? 40 : 3) && times[next] > view.from && times[next] < view.to) next += direction;
    point(times[Math.max(0, Math.min(times.length - 1, next))]);
    say();
  }

  function say() {
    const parts = panels.map((panel) => `${panel.name} ${panel.read(cursor, panel.at).map(([text]) => text).join(", ")}`);
    said.textContent = `${words.time(cursor)} UTC: ${parts.join("; ")}`;
  }

  const keys = {
    ArrowLeft: (event) => (event.shiftKey ? acts.earlier() : step(-1, event.ctrlKey)),
    ArrowRight: (event) => (event.shiftKey ? acts.later() : step(1, event.ctrlKey)),
    Home: () => (point(view.from), say()),
    End: () => (point(view.to), say()),
    "+": acts.in,
    "=": acts.in,
    "-": acts.out,
    Escape: () => ((cursor = null), acts.all()),
  };

  function timeAt(event) {
    const bounds = panels[0].svg.getBoundingClientRect();
    const x = ((event.clientX - bounds.left) / bounds.width) * (width + axis);
    const inside = Math.max(0, Math.min(width, x));
    return { x: inside, time: view.from + (inside / width) * (view.to - view.from) };
  }

  root.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.altKey || event.metaKey) return;
    event.preventDefault();
    act(event);
  });
  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest("svg")) return;
    const { x, time } = timeAt(event);
    if (event.pointerType === "mouse") {
      drag = { from: x, to: x, moved: false };
      root.setPointerCapture(event.pointerId);
    }
    point(time);
  });
  root.addEventListener("pointermove", (event) => {
    if (!drag && !event.target.closest("svg")) return;
    const { x, time } = timeAt(event);
    if (drag) Object.assign(drag, { to: x, moved: drag.moved || Math.abs(x - drag.from) > 4 });
    point(time);
  });
  root.addEventListener("pointerup", () => {
    const done = drag;
    drag = null;
    if (!done?.moved) return;
    const [from, to] = [done.from, done.to].sort((a, b) => a - b).map((x) => view.from + (x / width) * (view.to - view.from));
    show(from, to);
  });
  root.addEventListener("pointercancel", () => ((drag = null), point(cursor)));
  root.addEventListener("pointerleave", (event) => drag || event.pointerType !== "mouse" || point(null));
  root.addEventListener("dblclick", () => (document.getSelection()?.removeAllRanges(), acts.all()));
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", acts[button.dataset.act]);

  let fitted = 0;
  const fit = () => {
    const whole = printing ? 860 : root.clientWidth;
    if (Math.abs(whole - fitted) < 1) return;
    fitted = whole;
    layout(whole);
  };
  const print = (on) => () => ((printing = on), fit());
  new ResizeObserver(fit).observe(root);
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
  fit();

  return {
    /** Shows the time around these two moments, the cross-hair on the first. */
    reveal(from, to) {
      const margin = Math.max((to - from) * 1.5, (everything.to - everything.from) / 400);
      cursor = from;
      show(from - margin, to + margin);
      document.getElementById("charts-title").scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      root.focus({ preventScroll: true });
    },
  };
}
