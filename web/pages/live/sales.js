// Purchases of the last hour: revenue by minute, products, and the latest ones.
import * as charts from "/web/shell/charts.js";
import { element, filled, list, make, row, text } from "/web/shell/dom.js";
import * as format from "/web/shell/format.js";
import { figure } from "/web/shell/live.js";
import { remember, remembered } from "/web/shell/memory.js";

let shown = null;
let pointedAt = null;
let redraw = () => {};

// What is to be called when the reader chooses another currency or opens the table.
export function onChoice(callback) {
  redraw = callback;
}

let drawMinutes = null;

function pointed(place) {
  pointedAt = place;
  showReadout();
}

element("currency").addEventListener("change", (event) => {
  remember("currency", event.target.value);
  chosen = event.target.value;
  redraw();
});

let chosen = remembered("currency");

const TOTAL = "*";
const currencyKey = (each) => (each.is_total ? TOTAL : each.currency_code);

// All currencies together come first, in the base currency.
function chosenCurrency(currencies) {
  return currencies.find((each) => currencyKey(each) === chosen) ?? currencies[0];
}

function showReadout() {
  const hour = shown && chosenCurrency(shown.currencies);
  const readout = element("readout");
  if (pointedAt === null || !hour) return text(readout, "Point at a minute, or use the arrow keys.");
  const at = format.hourMinute(shown.first_minute_at + pointedAt * 60);
  const open = pointedAt === hour.revenue_amounts.length - 1 ? ", not over yet" : "";
  const amount = format.money(hour.revenue_amounts[pointedAt], hour.currency_code);
  text(readout, `${at}: ${amount}, ${format.count(hour.purchase_counts[pointedAt])} purchases${open}`);
}

export function showRevenue(state) {
  shown = state;
  const { currencies, first_minute_at } = state;
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

export function showProducts({ currencies, sources }) {
  const hour = chosenCurrency(currencies);
  const products = hour?.products ?? [];
  filled("products", products.length > 0, sources.sales?.as_of);
  const most = Math.max(...products.map((each) => each.revenue_amount), 0);
  const create = () => {
    const node = row("name", "number muted", "number");
    node.cells[0].append(clamped(), make("span", "bar"));
    return node;
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
document.querySelector("details").addEventListener("toggle", () => redraw());

// A name as strangers write it: in its own direction, and however long, in a line or two.
function clamped() {
  const node = make("span", "clamped");
  node.dir = "auto";
  return node;
}

let known = null;

export function showLatest({ latest, at, sources }) {
  filled("latest", latest.length > 0, sources.sales?.as_of);
  const create = (each) => {
    const node = row("nowrap muted", "name", "seller second", "number muted second", "number");
    if (known && !known.has(each.event_id)) node.className = "fresh-row";
    node.cells[1].append(clamped());
    return node;
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
