import "/web/language.js";
import { follow } from "/web/connection.js";
import { element, filled, list, make, row, text } from "/web/dom.js";
import * as format from "/web/format.js";
import { remember, remembered } from "/web/memory.js";
import { draw } from "/web/panels.js";

// Figures are shown without charts too.
const charts = await import("/web/charts.js").catch((fault) => {
  const none = () => { throw fault; };
  return { minutes: none, spark: none, recolor: () => {} };
});

const OLD_SECONDS = 120;
let state = null;
let pointedAt = null;

// ---- Theme: as the system says, until somebody chooses.
const THEMES = ["auto", "light", "dark"];

function showTheme() {
  const theme = document.documentElement.dataset.theme ?? "auto";
  text(element("theme"), `Theme: ${theme}`);
  charts.recolor();
}

element("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  if (next === "auto") {
    delete root.dataset.theme;
  } else {
    root.dataset.theme = next;
  }
  remember("theme", next === "auto" ? null : next);
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", charts.recolor);

// ---- What needs attention, in sentences.
function notices({ sources, parts, topics, newest_at, at }) {
  const found = [];
  const add = (key, sentence, bad = false) => found.push({ key, sentence, bad });
  const since = (source) => (source.as_of ? ` Its figures are from ${format.moment(source.as_of, at)}.` : "");
  if (sources.sales?.error) add("sales", `Sales: ${sources.sales.error}${since(sources.sales)}`, true);
  if (sources.flow?.error) add("flow", `${sources.flow.error} Events wait in Kafka until it does.`, true);
  for (const part of parts) {
    const told = { clickhouse: sources.sales, stream: sources.flow }[part.name]?.error;
    if (part.state === "down" && !told) add(part.name, `${part.title} is down: it ${part.sentence}.`, true);
  }
  for (const { topic, queries } of topics) {
    for (const query of queries.filter((each) => !each.is_running && each.error)) {
      add(`${query.lane}:${topic}`, `The ${query.lane} lane of ${topic} waits to start again: ${query.error}`, true);
    }
  }
  if (newest_at && at - newest_at > OLD_SECONDS) {
    add("old", `No event since ${format.moment(newest_at, at)}, ${format.span(at - newest_at)} ago.`);
  } else if (!newest_at && sources.sales?.as_of) {
    add("none", "No purchase has come yet. Send some: ./start.sh ingest purchases.simulate");
  }
  return found;
}

function showNotices(told) {
  list(element("notices"), notices(told), (each) => each.key, () => make("li"), (node, each) => {
    node.className = each.bad ? "notice bad" : "notice";
    text(node, each.sentence);
  });
  for (const node of document.querySelectorAll("[data-source]")) {
    node.toggleAttribute("data-stale", Boolean(told.sources[node.dataset.source]?.error));
  }
}

// ---- The tiles.
let drawRate = null;

function figure(id, value, unit = "") {
  const node = element(id);
  const shown = unit ? `${value} ${unit}` : value;
  if (node.textContent.trim() === shown) return;
  node.replaceChildren(value, ...(unit ? [" ", make("small", "", unit)] : []));
}

function showRate({ topics }) {
  const known = topics.length > 0;
  figure("rate", known ? format.rate(topics.reduce((sum, each) => sum + each.events_per_second, 0)) : "–");
  const flowing = topics.filter((each) => each.events_per_second > 0).map((each) => `${each.topic} ${format.rate(each.events_per_second)}`);
  text(element("rate-note"), known ? flowing.join(", ") || "nothing flows now" : "not known");
  drawRate ??= charts.spark(element("rate-chart"));
  drawRate(known ? topics[0].series.map((_, place) => topics.reduce((sum, each) => sum + (each.series[place] ?? 0), 0)) : []);
}

function showFreshness({ topics }) {
  const fresh = topics.map((each) => each.fresh).filter(Boolean).sort((a, b) => b.p99_seconds - a.p99_seconds)[0];
  figure("fresh", fresh ? format.seconds(fresh.p50_seconds) : "–", fresh ? "s" : "");
  text(element("fresh-note"), fresh
    ? `median; 99 % within ${format.seconds(fresh.p99_seconds)} s`
    : topics.length > 0 ? "nothing came in the last minute" : "not known");
}

function showRefused({ currencies, refused_count, sources }) {
  const accepted = currencies.filter((each) => !each.is_total).flatMap((each) => each.purchase_counts).reduce((sum, each) => sum + each, 0);
  figure("refused", sources.sales?.as_of ? format.count(refused_count) : "–");
  const all = accepted + refused_count;
  text(element("refused-note"), all ? `${format.percent(refused_count / all)} of ${format.count(all)} events` : "of no events");
}

function showLag({ topics }) {
  // A query that has not looked yet says null: not known is not nothing.
  const lags = topics.flatMap((each) => each.queries.map((query) => ({ ...query, topic: each.topic })))
    .filter((each) => each.lag_events !== null);
  const most = lags.sort((a, b) => b.lag_events - a.lag_events)[0];
  figure("lag", most ? format.count(most.lag_events) : "–", most ? "events" : "");
  text(element("lag-note"), !most ? "not known" : most.lag_events ? `the ${most.lane} lane of ${most.topic}` : "all is read");
}

// ---- Revenue, products.
let drawMinutes = null;

function pointed(place) {
  pointedAt = place;
  showReadout();
}

element("currency").addEventListener("change", (event) => {
  remember("currency", event.target.value);
  chosen = event.target.value;
  if (state) show(state);
});

let chosen = remembered("currency");

const TOTAL = "*";
const currencyKey = (each) => (each.is_total ? TOTAL : each.currency_code);

// All currencies together come first, in the base currency.
function chosenCurrency(currencies) {
  return currencies.find((each) => currencyKey(each) === chosen) ?? currencies[0];
}

function showReadout() {
  const hour = state && chosenCurrency(state.currencies);
  const readout = element("readout");
  if (pointedAt === null || !hour) return text(readout, "Point at a minute, or use the arrow keys.");
  const at = format.hourMinute(state.first_minute_at + pointedAt * 60);
  const open = pointedAt === hour.revenue_amounts.length - 1 ? ", not over yet" : "";
  const amount = format.money(hour.revenue_amounts[pointedAt], hour.currency_code);
  text(readout, `${at}: ${amount}, ${format.count(hour.purchase_counts[pointedAt])} purchases${open}`);
}

function showRevenue({ currencies, first_minute_at }) {
  const select = element("currency");
  const hour = chosenCurrency(currencies);
  select.hidden = currencies.length < 2;
  const named = (each) => (each.is_total ? `All, in ${each.currency_code}` : each.currency_code);
  list(select, currencies, currencyKey, () => make("option"), (node, each) => {
    text(node, named(each));
    node.value = currencyKey(each);
    node.selected = each === hour;
  });
  const amounts = hour?.revenue_amounts ?? new Array(60).fill(0);
  const total = amounts.reduce((sum, each) => sum + each, 0);
  const purchases = (hour?.purchase_counts ?? []).reduce((sum, each) => sum + each, 0);
  figure("revenue", hour ? format.money(total, hour.currency_code, 0) : "–");
  const lacking = hour?.unconverted_line_count ? `; ${format.count(hour.unconverted_line_count)} lines have no exchange rate` : "";
  text(element("revenue-note"), `${format.count(purchases)} purchases in the last hour, by the time of arrival${lacking}`);
  drawMinutes ??= charts.minutes(element("revenue-chart"), pointed);
  drawMinutes(first_minute_at, amounts);
  showReadout();

  const highest = amounts.indexOf(Math.max(...amounts));
  text(element("revenue-summary"), hour
    ? `${format.money(total, hour.currency_code, 0)} in the last hour; most at ${format.hourMinute(first_minute_at + highest * 60)}.`
    : "Nothing in the last hour.");
  if (document.querySelector("details").open) {
    const rows = amounts.map((amount, place) => ({ at: first_minute_at + place * 60, amount, count: hour?.purchase_counts[place] ?? 0 }));
    list(element("minutes"), rows.reverse(), (each) => each.at, () => row("nowrap", "number", "number"), ({ cells }, each) => {
      text(cells[0], format.hourMinute(each.at));
      text(cells[1], hour ? format.money(each.amount, hour.currency_code) : "–");
      text(cells[2], format.count(each.count));
    });
  }
}

function showProducts({ currencies, sources }) {
  const hour = chosenCurrency(currencies);
  const products = hour?.products ?? [];
  filled("products", products.length > 0, sources.sales?.as_of);
  const most = Math.max(...products.map((each) => each.revenue_amount), 0);
  const create = () => {
    const made = row("name", "number muted", "number");
    made.cells[0].append(clamped(), make("span", "bar"));
    return made;
  };
  text(element("products-note"), hour?.is_total ? `arrived in the last hour, in ${hour.currency_code}` : "arrived in the last hour");
  list(element("products"), products, (each) => `${each.seller_id} ${each.product_id}`, create, ({ cells }, each) => {
    const [name, bar] = cells[0].children;
    text(name, each.description);
    name.title = `${each.description} (${each.product_id} of ${each.seller_id})`;
    bar.style.width = `${most > 0 ? Math.max(0, (each.revenue_amount / most) * 100) : 0}%`;
    text(cells[1], format.count(each.piece_count));
    text(cells[2], format.money(each.revenue_amount, hour.currency_code, 0));
  });
}
document.querySelector("details").addEventListener("toggle", () => state && show(state));

// A name as strangers write it: in its own direction, and however long, in a line or two.
function clamped() {
  const made = make("span", "clamped");
  made.dir = "auto";
  return made;
}

// ---- Tables.
let known = null;

function showLatest({ latest, at, sources }) {
  filled("latest", latest.length > 0, sources.sales?.as_of);
  const create = (each) => {
    const made = row("nowrap muted", "name", "seller second", "number muted second", "number");
    if (known && !known.has(each.event_id)) made.className = "fresh-row";
    made.cells[1].append(clamped());
    return made;
  };
  list(element("latest"), latest, (each) => each.event_id, create, ({ cells }, each) => {
    text(cells[0], format.moment(each.at, at));
    text(cells[1].firstChild, each.product);
    cells[1].title = each.product;
    text(cells[2], each.seller_id);
    cells[2].title = each.seller_id;
    text(cells[3], format.count(each.line_count));
    text(cells[4], format.money(each.amount, each.currency_code));
  });
  known = new Set(latest.map((each) => each.event_id));
}

function showQueries({ topics, sources }) {
  filled("queries", topics.length > 0, sources.flow?.as_of || sources.flow?.error);
  const queries = topics.flatMap(({ topic, events_per_second, queries: lanes }) =>
    lanes.map((lane, place) => ({ ...lane, topic, rate: place ? null : events_per_second })));
  list(element("queries"), queries, (each) => `${each.lane}:${each.topic}`, () => row("", "number", "number", ""), ({ cells }, each) => {
    text(cells[0], `${each.topic}, ${each.lane}`);
    text(cells[1], each.rate === null ? "" : format.rate(each.rate));
    text(cells[2], each.lag_events === null ? "–" : format.count(each.lag_events));
    text(cells[3], each.is_running ? "runs" : each.state);
    cells[3].className = each.is_running ? "muted" : "state-bad";
  });
}

function showRefusals({ refusals, at, sources }) {
  filled("refusals", refusals.length > 0, sources.sales?.as_of);
  const create = () => {
    const made = row("nowrap muted", "");
    made.cells[1].append(make("div", "rule"), make("div", "sentence"));
    made.cells[1].children[1].dir = "auto";
    return made;
  };
  list(element("refusals"), refusals, (each) => each.event_id, create, ({ cells }, each) => {
    text(cells[0], format.moment(each.at, at));
    text(cells[1].children[0], `${each.topic}: ${each.rule}`);
    text(cells[1].children[1], each.sentence);
    cells[1].children[1].title = each.sentence;
  });
}

function showParts({ parts }) {
  const words = { up: "runs", down: "down", off: "not running" };
  const create = () => make("li", "", make("span", "dot"), make("span", "title"), make("span", "links"), make("span", "state"));
  list(element("parts"), parts, (each) => each.name, create, (node, each) => {
    const [dot, title, links, word] = node.children;
    const shown = each.state === "up" ? each.links : [];
    dot.className = `dot ${each.state}`;
    text(title, each.title);
    // Where there are links the part runs; a screen reader is told so all the same.
    word.className = shown.length ? "unseen" : `state ${each.state}`;
    text(word, each.state === "down" ? `down: ${each.sentence}` : words[each.state]);
    list(links, shown, (link) => link.url, (link) => {
      const anchor = make("a", "", link.title);
      anchor.href = link.url;
      anchor.setAttribute("aria-label", `${each.title}: ${link.title}`);
      anchor.target = "_blank";
      anchor.rel = "noopener";
      return anchor;
    }, () => {});
  });
}

const PANELS = [
  ["notices", showNotices],
  ["rate", showRate],
  ["freshness", showFreshness],
  ["refused", showRefused],
  ["lag", showLag],
  ["revenue", showRevenue],
  ["products", showProducts],
  ["latest", showLatest],
  ["streams", showQueries],
  ["refusals", showRefusals],
  ["parts", showParts],
];

// Draws what can be drawn; returns the panels that cannot.
function show(told) {
  state = told;
  return draw(PANELS, told);
}

function connection(name, sentence) {
  const node = element("connection");
  node.dataset.state = name;
  text(node, sentence);
}

showTheme();
follow("/live", {
  heard: (told) => {
    const failed = show(told);
    if (failed.length) connection("faulty", `Live, but not all can be drawn: ${failed.join(", ")}`);
    else connection("live", "Live");
  },
  lost: () => connection("lost", state
    ? `Connection lost, trying again. Figures are from ${format.time(state.at)}.`
    : "No connection, trying again."),
});
