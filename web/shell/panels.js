// Each panel is drawn by itself: what goes wrong in one stays in it, and is shown there and in the page's header.
import { make, text } from "/web/shell/dom.js";

const MOST_LETTERS = 160;

function mark(node, error) {
  node.toggleAttribute("data-fault", Boolean(error));
  let sentence = node.querySelector(":scope > .fault");
  if (!error) return sentence?.remove();
  if (!sentence) node.append((sentence = make("p", "fault")));
  sentence.setAttribute("role", "alert");
  return text(sentence, `This cannot be drawn: ${String(error).slice(0, MOST_LETTERS)}`);
}

// Draws all panels, pairs of name and function; returns the names of those that failed.
export function draw(panels, figures) {
  const failed = [];
  for (const [name, show] of panels) {
    let fault = null;
    try {
      show(figures);
    } catch (error) {
      fault = error;
      failed.push(name);
      console.error(`The panel "${name}" cannot be drawn.`, error);
    }
    const node = document.querySelector(`[data-panel="${name}"]`);
    if (node) mark(node, fault);
  }
  return failed;
}
