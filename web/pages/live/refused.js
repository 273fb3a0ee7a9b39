// What was refused in the last hour.
import { element, filled, list, make, row, text } from "/web/shell/dom.js";
import * as format from "/web/shell/format.js";
import { figure } from "/web/shell/live.js";

export function showRefused({ currencies, refused_count, sources }) {
  const accepted = currencies.filter((each) => !each.is_total).flatMap((each) => each.purchase_counts).reduce((sum, each) => sum + each, 0);
  figure("refused", sources.refused?.as_of ? format.count(refused_count) : "–");
  const all = accepted + refused_count;
  text(element("refused-note"), all ? `${format.percent(refused_count / all)} of ${format.count(all)} events` : "of no events");
}

export function showRefusals({ refusals, at, sources }) {
  filled("refusals", refusals.length > 0, sources.refused?.as_of);
  const create = () => {
    const node = row("nowrap muted", "");
    node.cells[1].append(make("div", "rule"), make("div", "sentence"));
    node.cells[1].children[1].dir = "auto";
    return node;
  };
  list(element("refusals"), refusals, (each) => each.event_id, create, ({ cells }, each) => {
    text(cells[0], format.moment(each.at, at));
    text(cells[1].children[0], `${each.topic}: ${each.rule}`);
    text(cells[1].children[1], each.sentence);
    cells[1].children[1].title = each.sentence;
  });
}
