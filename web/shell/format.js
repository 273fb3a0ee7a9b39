// Numbers, money and times as the reader's own language writes them. What cannot be written is a dash, never an error.
import { language } from "/web/shell/language.js";

const UNKNOWN = "–";
const formatters = new Map();

function numbers(options) {
  const key = JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(language, options));
  return formatters.get(key);
}

const isNumber = (value) => value !== null && Number.isFinite(Number(value));
// So many digits after the point, no more and no less.
const fixed = (digits) => ({ minimumFractionDigits: digits, maximumFractionDigits: digits });
const number = (value, options) => (isNumber(value) ? numbers(options).format(value) : UNKNOWN);
const day = (at, options) => (isNumber(at) ? new Intl.DateTimeFormat(language, options).format(at * 1000) : UNKNOWN);

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const MINUTE = { hour: "2-digit", minute: "2-digit" };
const WHOLE = { dateStyle: "medium", timeStyle: "medium" };

export const count = (value) => number(value, fixed(0));
export const rate = (value) => number(value, { maximumFractionDigits: value && value < 100 ? 1 : 0 });
export const percent = (share) => number(share, { style: "percent", maximumFractionDigits: share < 0.1 ? 2 : 0 });
// Two digits as long as they do not round to 10.00.
export const seconds = (value) => number(value, fixed(value < 9.995 ? 2 : 0));
export const compact = (value) => number(value, { notation: "compact", maximumFractionDigits: 1 });

export function money(value, currency, fraction) {
  // A code that is none of three letters is no reason to show nothing.
  if (!/^[A-Za-z]{3}$/.test(currency)) return `${number(value, fixed(fraction ?? 2))} ${currency ?? ""}`.trim();
  const digits = fraction === undefined ? {} : fixed(fraction);
  return number(value, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...digits });
}

export const time = (at) => day(at, CLOCK);
export const hourMinute = (at) => day(at, MINUTE);
// The day too where it is not the same one.
export const moment = (at, now) => (now - at < 12 * 3600 ? time(at) : day(at, WHOLE));

export function span(value) {
  const unit = value < 90 ? "second" : value < 5400 ? "minute" : value < 129600 ? "hour" : "day";
  const size = { second: 1, minute: 60, hour: 3600, day: 86400 }[unit];
  return number(value / size, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 });
}
