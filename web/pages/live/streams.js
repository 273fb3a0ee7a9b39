// What flows: events a second, their freshness, what waits in Kafka, and each query.
import * as charts from "/web/shell/charts.js";
import { element, filled, list, row, text } from "/web/shell/dom.js";
import * as format from "/web/shell/format.js";
import { figure } from "/web/shell/live.js";

let drawRate = null;

export function showRate({ topics }) {
  const known = topics.length > 0;
  figure("rate", known ? format.rate(topics.reduce((sum, each) => sum + each.events_per_second, 0)) : "–");
  const flowing = topics.filter((each) => each.events_per_second > 0).map((each) => `${each.topic} ${format.rate(each.events_per_second)}`);
  text(element("rate-note"), known ? flowing.join(", ") || "nothing flows now" : "not known");
  drawRate ??= charts.spark(element("rate-chart"));
  drawRate(known ? topics[0].series.map((_, place) => topics.reduce((sum, each) => sum + (each.series[place] ?? 0), 0)) : []);
}

export function showFreshness({ topics }) {
  const fresh = topics.map((each) => each.fresh).filter(Boolean).sort((a, b) => b.p99_seconds - a.p99_seconds)[0];
  figure("fresh", fresh ? format.seconds(fresh.p50_seconds) : "–", fresh ? "s" : "");
  text(element("fresh-note"), fresh
    ? `median; 99 % within ${format.seconds(fresh.p99_seconds)} s`
    : topics.length > 0 ? "nothing came in the last minute" : "not known");
}

export function showLag({ topics }) {
  // A query that has not looked yet says null: not known is not nothing.
  const lags = topics.flatMap((each) => each.queries.map((query) => ({ ...query, topic: each.topic })))
    .filter((each) => each.lag_events !== null);
  const most = lags.sort((a, b) => b.lag_events - a.lag_events)[0];
  figure("lag", most ? format.count(most.lag_events) : "–", most ? "events" : "");
  text(element("lag-note"), !most ? "not known" : most.lag_events ? `the ${most.lane} lane of ${most.topic}` : "all is read");
}

export function showQueries({ topics, sources }) {
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
