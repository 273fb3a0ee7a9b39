// Numbers, money and times as the reader's own language writes them.
const language = navigator.language;
const made = new Map();

function numbers(options) {
  const key = JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(language, options));
  return made.get(key);
}

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

export const count = (value) => numbers({ maximumFractionDigits: 0 }).format(value);
export const rate = (value) => numbers({ maximumFractionDigits: value && value < 100 ? 1 : 0 }).format(value);
export const percent = (share) => numbers({ style: "percent", maximumFractionDigits: share < 0.1 ? 2 : 0 }).format(share);
export const seconds = (value) => numbers({ minimumFractionDigits: 2, maximumFractionDigits: value < 10 ? 2 : 0 }).format(value);
export const compact = (value) => numbers({ notation: "compact", maximumFractionDigits: 1 }).format(value);
export const money = (value, currency, fraction) =>
  numbers({ style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits: fraction, maximumFractionDigits: fraction }).format(value);

export const time = (at) => clock.format(at * 1000);
export const hourMinute = (at) => minute.format(at * 1000);
// The day too where it is not the same one.
export const moment = (at, now) => (now - at < 12 * 3600 ? time(at) : day.format(at * 1000));

export function span(value) {
  const unit = value < 90 ? "second" : value < 5400 ? "minute" : value < 129600 ? "hour" : "day";
  const size = { second: 1, minute: 60, hour: 3600, day: 86400 }[unit];
  return numbers({ style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(value / size);
}
