// What comes from events is only ever set as text: it is written by strangers.
export const element = (id) => document.getElementById(id);

export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

export function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

// Children by key: those that stay are filled anew and not replaced, so that what is selected stays selected.
const kept = new WeakMap();

export function list(parent, items, key, create, fill) {
  const before = kept.get(parent) ?? new Map();
  const now = new Map(items.map((item) => [key(item), before.get(key(item)) ?? create(item)]));
  for (const item of items) fill(now.get(key(item)), item);
  const nodes = [...now.values()];
  if (nodes.length !== parent.children.length || nodes.some((node, place) => parent.children[place] !== node)) {
    parent.replaceChildren(...nodes);
  }
  kept.set(parent, now);
  return before;
}

// A row of cells; `shape` has a class for each.
export const row = (...shape) => make("tr", "", ...shape.map((className) => make("td", className)));

// A table, or the sentence that stands under its caption where it is known to have no rows.
export function filled(name, has, isKnown) {
  element(`${name}-table`).tHead.hidden = !has;
  element(`${name}-empty`).hidden = has || !isKnown;
}
