import uPlot from "/web/vendor/uplot/uPlot.esm.js";
import { compact, hourMinute } from "/web/shell/format.js";

// A canvas knows no CSS variables: a hidden element resolves them, for the theme of the moment.
const probe = document.body.appendChild(Object.assign(document.createElement("i"), { hidden: true }));

function color(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

const charts = new Set();

function chart(holder, options, data) {
  const size = () => ({ width: holder.clientWidth, height: holder.clientHeight });
  const drawn = new uPlot({ ...size(), legend: { show: false }, ...options }, data, holder);
  new ResizeObserver(() => holder.clientWidth && drawn.setSize(size())).observe(holder);
  charts.add(drawn);
  return drawn;
}

document.addEventListener("themechange", () => {
  for (const drawn of charts) drawn.redraw();
});

const fromZero = (_, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, 1) * 1.05];

export function spark(holder) {
  const options = {
    cursor: { show: false },
    padding: [2, 0, 1, 0],
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: false }, y: { range: fromZero } },
    series: [{}, { stroke: () => color("accent"), fill: () => color("accent-soft"), width: 1.5, points: { show: false } }],
  };
  const drawn = chart(holder, options, [[], []]);
  return (values) => drawn.setData([values.map((_, place) => place), values]);
}

// The last label would be cut off where it is too near to the end.
const clocks = (drawn, at) => at.map((each) => (each > drawn.scales.x.max - 180 ? "" : hourMinute(each)));

// Fractions of one are labels of a chart without bars.
const amounts = (_, at) => at.map((each) => (Number.isInteger(each) ? compact(each) : ""));

// Bars of sixty minutes; the last, unfinished, is paler. `pointed` is called with the bar under the pointer, or null.
export function minutes(holder, pointed) {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: () => color("muted"), font, ticks: { show: false } };
  const paths = uPlot.paths.bars({ size: [0.72, 18], radius: 0.15 });
  const options = {
    padding: [8, 6, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { range: (_, low, high) => [low - 45, high + 45] }, y: { range: fromZero } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 70, incrs: [300, 600, 900, 1800], values: clocks },
      { ...axis, grid: { stroke: () => color("line"), width: 1 }, size: 52, space: 44, values: amounts },
    ],
    series: [
      {},
      { paths, fill: () => color("accent"), stroke: "transparent", width: 0, points: { show: false } },
      { paths, fill: () => color("accent-pale"), stroke: "transparent", width: 0, points: { show: false } },
    ],
    hooks: { setCursor: [(drawn) => pointed(drawn.cursor.idx ?? null)] },
  };
  const drawn = chart(holder, options, [[], [], []]);
  holder.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !drawn.data[0].length) return;
    event.preventDefault();
    const last = drawn.data[0].length - 1;
    const place = Math.min(last, Math.max(0, (drawn.cursor.idx ?? last + 1) + step));
    drawn.setCursor({ left: drawn.valToPos(drawn.data[0][place], "x"), top: 10 });
  });
  holder.addEventListener("blur", () => drawn.setCursor({ left: -10, top: -10 }));
  return (first, values) => {
    const last = values.length - 1;
    drawn.setData([
      values.map((_, place) => first + place * 60),
      values.map((value, place) => (place < last ? value : null)),
      values.map((value, place) => (place < last ? null : value)),
    ]);
  };
}
