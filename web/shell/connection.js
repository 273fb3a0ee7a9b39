// The stream of states: opened again whenever it ends, however it ends, and closed while nobody looks.
const SILENCE = 6_000;
const LONGEST = 10_000;

export function follow(url, { heard, lost }) {
  let source = null;
  let timer = 0;
  let last = 0;
  let wait = 1_000;

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function again() {
    close();
    lost();
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST);
  }

  function open() {
    close();
    last = performance.now();
    source = new EventSource(url);
    source.onmessage = (event) => {
      let figures;
      try {
        figures = JSON.parse(event.data);
      } catch {
        // Half a document is none: as if the connection were lost.
        return again();
      }
      last = performance.now();
      wait = 1_000;
      return heard(figures);
    };
    source.onerror = again;
  }

  // A connection may be dead without a word, as after the machine slept.
  setInterval(() => source && performance.now() - last > SILENCE && again(), 1_000);
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("online", open);
  open();
}
