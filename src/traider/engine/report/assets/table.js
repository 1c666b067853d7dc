// A long list in pages: sorted by any column, filtered, and taken along as CSV with every digit.

const PAGE_ROWS = 25;

/**
 * `columns`: {label, values(row) to sort by, text(row), exact?(row) for the CSV, left?, tone?(row), first?: among the first on a
 * narrow screen}; the first one's button reveals the row.
 * `filters`: [label, keeps(row)], the first one keeps all.
 */
function list(place, { rows, noun, columns: wanted, filters, reveal, file }) {
  const columns = matchMedia("(max-width: 36rem)").matches ? inView(wanted) : wanted;
  let sorted = { column: 0, falling: false };
  let filter = filters[0];
  let order = [];
  let at = 0;

  const tools = element("div", "tools");
  const table = element("table", "lines");
  const scroll = element("div", "scroll");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  const count = element("span", "rows");
  count.setAttribute("aria-live", "polite");
  const [first, previous, next, last] = [
    ["«", "First page", () => turn(0)],
    ["‹", "Previous page", () => turn(at - PAGE_ROWS)],
    ["›", "Next page", () => turn(at + PAGE_ROWS)],
    ["»", "Last page", () => turn(order.length - 1)],
  ].map(([text, label, act]) => button(text, act, label));
  const choices = filters.map((one) => button(one[0], () => choose(one)));
  choices.forEach((choice, number) => choice.setAttribute("aria-pressed", String(number === 0)));
  tools.append(...choices, button("Save as CSV", save), count, first, previous, next, last);
  scroll.append(table);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", noun[1]);
  place.append(tools, scroll);
  const headers = columns.map((column, number) => {
    const cell = element("th", column.left ? "left" : "");
    cell.scope = "col";
    cell.append(button(column.label, () => sort(number)));
    head.append(cell);
    return cell;
  });

  function choose(one) {
    filter = one;
    choices.forEach((choice, number) => choice.setAttribute("aria-pressed", String(filters[number] === one)));
    arrange();
  }

  function sort(number) {
    sorted = { column: number, falling: sorted.column === number ? !sorted.falling : number !== 0 };
    arrange();
  }

  function arrange() {
    const value = columns[sorted.column].values;
    const direction = sorted.falling ? -1 : 1;
    const kept = [];
    for (let row = 0; row < rows; row++) if (filter[1](row)) kept.push(row);
    const keys = new Float64Array(rows);
    for (const row of kept) keys[row] = value(row);
    order = kept.sort((a, b) => direction * (keys[a] - keys[b]) || a - b);
    headers.forEach((cell, number) => {
      const sign = number === sorted.column ? (sorted.falling ? " ↓" : " ↑") : "";
      cell.firstChild.textContent = columns[number].label + sign;
      if (sign) cell.setAttribute("aria-sort", sorted.falling ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    turn(0);
  }

  function turn(to) {
    at = Math.max(0, Math.floor(Math.min(to, order.length - 1) / PAGE_ROWS) * PAGE_ROWS);
    const end = Math.min(order.length, at + PAGE_ROWS);
    body.replaceChildren(...order.slice(at, end).map(line));
    const range = order.length ? `${number(at + 1, 0, 0)}–${number(end, 0, 0)} of ${number(order.length, 0, 0)}` : "none";
    count.textContent = `${range} ${order.length === 1 ? noun[0] : noun[1]}`;
    first.disabled = previous.disabled = at === 0;
    next.disabled = last.disabled = end === order.length;
  }

  function line(row) {
    const tr = element("tr");
    columns.forEach((column, number) => {
      const cell = element("td", [column.left ? "left" : "", column.tone?.(row) ?? ""].join(" ").trim());
      if (number === 0) cell.append(button(column.text(row), () => reveal(row), `Show ${noun[0]} ${column.text(row)} in the charts`));
      else cell.textContent = column.text(row);
      tr.append(cell);
    });
    return tr;
  }

  function save() {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = [columns.map((column) => quoted(column.label)).join(",")];
    for (const row of order) lines.push(columns.map((column) => quoted(String((column.exact ?? column.values)(row)))).join(","));
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  arrange();
}

/** The columns so that the ones that matter are seen without scrolling. */
function inView([number, ...others]) {
  return [number, ...others.filter((column) => column.first), ...others.filter((column) => !column.first)];
}

function element(name, kind = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  return made;
}

function button(text, act, label) {
  const made = element("button");
  made.type = "button";
  made.textContent = text;
  if (label) made.setAttribute("aria-label", label), (made.title = label);
  made.addEventListener("click", act);
  return made;
}
