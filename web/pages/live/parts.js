// The parts of the stack: how each fares, and where its pages are.
import { element, list, make, text } from "/web/shell/dom.js";

export function showParts({ parts }) {
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
