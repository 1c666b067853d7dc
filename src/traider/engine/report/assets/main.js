// Puts the page together once its data is unpacked.

const page = JSON.parse(document.getElementById("data").textContent);

function tripList(columns, words, reveal) {
  const column = (name) => columns[`trip.${name}`];
  const [entry, exit, side, size, bought, sold, pnl, fees] = ["entry", "exit", "side", "size", "entry_price", "exit_price", "pnl", "fees"].map(column);
  const times = columns["fill.time"];
  const net = (row) => pnl[row] - fees[row];
  const part = (row) => net(row) / (bought[row] * size[row]);
  const long = (row) => times[exit[row]] - times[entry[row]];
  list(document.getElementById("trips"), {
    rows: exit.length,
    noun: ["round trip", "round trips"],
    file: "round-trips.csv",
    reveal: (row) => reveal(times[entry[row]], times[exit[row]]),
    filters: [["All", () => true], ["Won", (row) => net(row) > 0], ["Lost", (row) => net(row) < 0]],
    columns: [
      { label: "No.", values: (row) => page.first_trip + row + 1, text: (row) => number(page.first_trip + row + 1, 0, 0) },
      { label: "Side", left: true, values: (row) => side[row], exact: (row) => sideText(side[row]), text: (row) => sideText(side[row]) },
      { label: "Entry, UTC", values: (row) => times[entry[row]], exact: (row) => exactTime(times[entry[row]]), text: (row) => words.time(times[entry[row]]) },
      { label: "Exit, UTC", values: (row) => times[exit[row]], exact: (row) => exactTime(times[exit[row]]), text: (row) => words.time(times[exit[row]]) },
      { label: "Duration", values: long, exact: (row) => long(row) / SECOND, text: (row) => words.span(long(row)) },
      { label: `Size, ${words.base}`, values: (row) => size[row], text: (row) => words.size(size[row]) },
      { label: "Entry price", values: (row) => bought[row], text: (row) => words.price(bought[row]) },
      { label: "Exit price", values: (row) => sold[row], text: (row) => words.price(sold[row]) },
      { label: "Profit", values: (row) => pnl[row], text: (row) => words.tradeAmount(pnl[row], true) },
      { label: "Fees", values: (row) => fees[row], text: (row) => words.tradeAmount(fees[row]) },
      { label: `Net, ${words.quote}`, first: true, values: net, text: (row) => words.tradeAmount(net(row), true), tone: (row) => tone(net(row)) },
      { label: "Net, %", first: true, values: part, text: (row) => number(part(row) * 100, 3, 3, true), tone: (row) => tone(net(row)) },
    ],
  });
}

function fillList(columns, words, reveal) {
  const [times, side, maker, price, size, fee] = ["time", "side", "maker", "price", "size", "fee"].map((name) => columns[`fill.${name}`]);
  const notional = (row) => price[row] * size[row];
  list(document.getElementById("fills"), {
    rows: times.length,
    noun: ["fill", "fills"],
    file: "fills.csv",
    reveal: (row) => reveal(times[row], times[row]),
    filters: [["All", () => true], ["Buys", (row) => side[row] > 0], ["Sells", (row) => side[row] < 0]],
    columns: [
      { label: "No.", values: (row) => page.first_fill + row + 1, text: (row) => number(page.first_fill + row + 1, 0, 0) },
      { label: "Time, UTC", values: (row) => times[row], exact: (row) => exactTime(times[row]), text: (row) => words.time(times[row]) },
      { label: "Side", left: true, values: (row) => side[row], exact: (row) => buyOrSell(side[row]), text: (row) => buyOrSell(side[row]), tone: (row) => tone(side[row]) },
      { label: `Size, ${words.base}`, values: (row) => size[row], text: (row) => words.size(size[row]) },
      { label: "Price", values: (row) => price[row], text: (row) => words.price(price[row]) },
      { label: `Notional, ${words.quote}`, values: notional, text: (row) => words.amount(notional(row)) },
      { label: `Fee, ${words.quote}`, values: (row) => fee[row], text: (row) => words.tradeAmount(fee[row]) },
      { label: "Liquidity", left: true, values: (row) => maker[row], exact: (row) => liquidity(maker[row]), text: (row) => liquidity(maker[row]) },
    ],
  });
}

const sideText = (side) => (side > 0 ? "long" : "short");
const buyOrSell = (side) => (side > 0 ? "buy" : "sell");
const liquidity = (maker) => (maker ? "maker" : "taker");
const exactTime = (time) => new Date(Math.floor(time / 1000)).toISOString().replace("Z", String(Math.floor(time % 1000)).padStart(3, "0") + "Z");

function feesOf(columns) {
  const [price, size, maker] = [columns["fill.price"], columns["fill.size"], columns["fill.maker"]];
  return price.map((one, row) => one * size[row] * (maker[row] ? page.maker_fee : page.taker_fee));
}

/** Tabs as the ARIA authoring practices have them: arrows choose, only the chosen one is a stop of the Tab key. */
function tabs() {
  const all = [...document.querySelectorAll('[role="tab"]')];
  const choose = (chosen) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  all.forEach((tab, number) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = all[(number + (event.key === "ArrowRight" ? 1 : all.length - 1)) % all.length];
      choose(other);
      other.focus();
    });
  });
}

unpack(page)
  .then((columns) => {
    document.documentElement.classList.add("scripted");
    columns["fill.fee"] ??= feesOf(columns);
    const words = forms(page.form);
    const { reveal } = charts(page, columns, words);
    if (columns["trip.exit"].length) tripList(columns, words, reveal);
    if (columns["fill.time"].length) fillList(columns, words, reveal);
    tabs();
    document.documentElement.classList.add("ready");
  })
  .catch((error) => {
    const note = element("p", "hint");
    note.textContent = `This browser can't unpack the lists and curves (${error.message}). Every figure on the page is complete; a browser of 2023 or later shows the rest.`;
    document.getElementById("charts").after(note);
    throw error;
  });
