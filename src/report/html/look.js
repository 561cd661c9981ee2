// Colours, durations and small helpers. Names come from traces: they only ever become text.

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** An element with attributes and children. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Text as plotly takes it, which reads some markup. */
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

/** A colour of the style sheet: a number of the palette, or a word. */
function color(word) {
  const number = /^\d+$/.test(word) ? `s${Number(word) % 12}` : word;
  const styles = getComputedStyle(root);
  return styles.getPropertyValue(`--${number}`).trim() || styles.getPropertyValue("--others").trim();
}

/** `3h05m`, as everywhere in gigawatt. */
function duration(seconds) {
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two(Math.floor((s % 3600) / 60))}m`;
  return `${Math.floor(s / 86400)}d${two(Math.floor((s % 86400) / 3600))}h`;
}

/** Digits in groups of three, no more decimals than say something. */
function digits(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return value.toLocaleString("en", { maximumFractionDigits: size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 4 });
}

/** What the horizontal axis of time counts in. */
function unitOf(seconds) {
  if (seconds < 7200) return { name: "minutes", seconds: 60 };
  if (seconds < 4 * 86400) return { name: "hours", seconds: 3600 };
  return { name: "days", seconds: 86400 };
}

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
function shade() {
  const chosen = root.dataset.theme;
  root.dataset.shade = chosen || (systemIsDark.matches ? "dark" : "light");
}
shade();
