// The reader's language. Some systems name one that is none, such as "en-US@posix", over which every library stumbles:
// so this module comes before all others.
function readable(tag) {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag)[0] ?? "";
  } catch {
    return "";
  }
}

export const language = readable(navigator.language) || "en";

if (!readable(navigator.language)) {
  Object.defineProperty(navigator, "language", { value: language, configurable: true });
}
