// The live figures of the API, drawn panel by panel; the header shows the state of the connection.
import { follow } from "/web/shell/connection.js";
import { element, text } from "/web/shell/dom.js";
import * as format from "/web/shell/format.js";
import { draw } from "/web/shell/panels.js";

function connection(name, sentence) {
  const node = element("connection");
  node.hidden = false;
  node.dataset.state = name;
  text(node, sentence);
}

// Draws `panels`, pairs of name and function, whenever figures come. Returns what draws them again.
export function live(panels) {
  let state = null;
  element("connection").hidden = false;
  follow("/live", {
    heard: (figures) => {
      state = figures;
      const failed = draw(panels, state);
      if (failed.length) connection("faulty", `Live, but not all can be drawn: ${failed.join(", ")}`);
      else connection("live", "Live");
    },
    lost: () => connection("lost", state
      ? `Connection lost, trying again. Figures are from ${format.time(state.at)}.`
      : "No connection, trying again."),
  });
  return () => state && draw(panels, state);
}

// The number of a tile or a heading, with its unit in small letters.
export function figure(id, value, unit = "") {
  const node = element(id);
  const shown = unit ? `${value} ${unit}` : value;
  if (node.textContent.trim() === shown) return;
  const small = document.createElement("small");
  small.textContent = unit;
  node.replaceChildren(value, ...(unit ? [" ", small] : []));
}
