// Before the first paint, so that a chosen theme does not flash in the other one.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // The browser keeps nothing: as the system says.
}
