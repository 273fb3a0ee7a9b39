// What needs attention, in sentences.
import { element, list, make, text } from "/web/shell/dom.js";
import * as format from "/web/shell/format.js";

const OLD_SECONDS = 120;

function notices({ sources, parts, topics, newest_at, at }) {
  const items = [];
  const add = (key, sentence, bad = false) => items.push({ key, sentence, bad });
  const since = (source) => (source.as_of ? ` Its figures are from ${format.moment(source.as_of, at)}.` : "");
  if (sources.sales?.error) add("sales", `Sales: ${sources.sales.error}${since(sources.sales)}`, true);
  else if (sources.refused?.error) add("refused", `Refused events: ${sources.refused.error}${since(sources.refused)}`, true);
  if (sources.flow?.error) add("flow", `${sources.flow.error} Events wait in Kafka until it does.`, true);
  for (const part of parts) {
    const isNamed = { clickhouse: sources.sales, stream: sources.flow }[part.name]?.error;
    if (part.state === "down" && !isNamed) add(part.name, `${part.title} is down: it ${part.sentence}.`, true);
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
  return items;
}

export function showNotices(state) {
  list(element("notices"), notices(state), (each) => each.key, () => make("li"), (node, each) => {
    node.className = each.bad ? "notice bad" : "notice";
    text(node, each.sentence);
  });
  for (const node of document.querySelectorAll("[data-source]")) {
    node.toggleAttribute("data-stale", Boolean(state.sources[node.dataset.source]?.error));
  }
}
