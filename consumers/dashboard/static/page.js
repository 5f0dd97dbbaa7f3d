// Keeps an open page true: it is fetched anew when a snapshot that it shows has changed, and says so when it is old.
"use strict";

const page = document.documentElement;
const FETCHED_AT_MOST_EVERY_MS = 500;
const RETRY_MS = 3000;
const REDIS_AWAY = "Redis does not answer: what you see is old. It is looked for again all the time.";
const SERVER_AWAY = "The dashboard's server does not answer: what you see is old. It is looked for again all the time.";
const LOGGED_OUT = "You are no longer logged in: what you see is old. Load the page again.";

// -- times ------------------------------------------------------------------------------------------------------------

const moments = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});

function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.textContent = moments.format(at);
  }
}

// -- charts -----------------------------------------------------------------------------------------------------------

const drawn = new Map(); // figure -> {spec, view}

function chartConfig() {
  const style = getComputedStyle(page);
  const ink = style.getPropertyValue("--ink").trim();
  const line = style.getPropertyValue("--line").trim();
  return {
    background: "transparent", font: "system-ui, sans-serif",
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12 },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12 }, title: { color: ink }, header: { labelColor: ink, titleColor: ink },
    text: { color: ink }, rule: { color: ink }, view: { stroke: line },
  };
}

// `ast`: expressions are interpreted, since the page's policy lets nobody make code from text.
async function drawCharts() {
  for (const [figure, { view }] of drawn) {
    if (!figure.isConnected) { view.finalize(); drawn.delete(figure); }
  }
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const spec = figure.querySelector("script").textContent;
    if (drawn.get(figure)?.spec === spec) continue;
    drawn.get(figure)?.view.finalize();
    drawn.delete(figure);
    try {
      const view = await window.vegaEmbed(figure.querySelector("[data-place]"), JSON.parse(spec), {
        ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false, config: chartConfig(),
      });
      drawn.set(figure, { spec, view });
    } catch (error) {
      figure.querySelector("details")?.setAttribute("open", ""); // the same as a table
      console.error(error);
    }
  }
}

async function redrawCharts() {
  for (const { view } of drawn.values()) view.finalize();
  drawn.clear();
  await drawCharts();
}

// -- the page made anew -----------------------------------------------------------------------------------------------
// What is the same stays the very node: focus, half-filled fields, open details and scrolled tables survive.

function keyOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.id) return `#${node.id}`;
  if (!["TR", "LI", "ARTICLE", "SECTION"].includes(node.nodeName)) return "";
  const link = node.querySelector("a[href]");
  return link ? `@${link.getAttribute("href")}` : "";
}

function sameAttributes(old, fresh) {
  const ours = old.matches("details") ? ["open"] : old.matches("[data-place]") ? ["class", "style"] : [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !ours.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !ours.includes(name)) old.setAttribute(name, value);
  }
}

function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  sameAttributes(old, fresh);
  if (!old.matches("[data-place]")) childrenBecome(old, fresh);
}

function childrenBecome(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) {
    const key = keyOf(child);
    if (key && !keyed.has(key)) keyed.set(key, child);
  }
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = keyOf(next);
    let same = key ? keyed.get(key) : at && !keyOf(at) && at.nodeName === next.nodeName ? at : null;
    if (key) keyed.delete(key); // else a second one of this key would take the first's place
    if (same && same.nodeName !== next.nodeName) same = null;
    if (!same) {
      old.insertBefore(document.importNode(next, true), at);
    } else {
      if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
      become(same, next);
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function show(fresh) {
  const focused = document.activeElement;
  localTimes(fresh);
  childrenBecome(document.querySelector("main"), fresh.querySelector("main"));
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true }); // it was moved
  document.title = fresh.title;
  page.dataset.instance = fresh.documentElement.dataset.instance;
  page.dataset.since = fresh.documentElement.dataset.since;
  published(fresh.documentElement.dataset.published, fresh.documentElement.dataset.now);
  const keys = fresh.documentElement.dataset.keys;
  if (keys !== page.dataset.keys) { page.dataset.keys = keys; listen(); }
}

let fetching = false;
let again = false;

async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      say(LOGGED_OUT);
    } else {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.querySelector("main") && fresh.documentElement.dataset.instance) {
        show(fresh);
        await drawCharts();
      }
    }
  } catch (error) {
    console.warn(error); // the event stream finds it out, too, and says so
  } finally {
    fetching = false;
    if (again) { again = false; setTimeout(refresh, FETCHED_AT_MOST_EVERY_MS); }
  }
}

// -- how old it is ----------------------------------------------------------------------------------------------------

const band = document.getElementById("band");
let away = "";
let ahead = Date.now() - Date.parse(page.dataset.now); // of this machine's clock before the server's

function say(what) {
  away = what;
  age();
}

function published(at, now) {
  if (now) ahead = Date.now() - Date.parse(now);
  page.dataset.published = at || "";
  const time = document.querySelector("#published time");
  if (time && at) {
    time.dateTime = at;
    localTimes(time.parentElement);
  }
  age();
}

function inWords(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} seconds`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

function age() {
  const seconds = (Date.now() - ahead - Date.parse(page.dataset.published)) / 1000;
  const old = seconds > Number(page.dataset.staleS); // not where nothing was published
  const says = away || (old ? `What you see is old: nothing has been published for ${inWords(seconds)}. Is a publisher running?` : "");
  if (band.textContent !== says) band.textContent = says;
  band.hidden = !says;
  page.classList.toggle("stale", Boolean(says));
}

// -- what the server says ---------------------------------------------------------------------------------------------

const SILENT_MS = 25000; // the server says something every ten seconds
let source = null;
let heard = 0;
let retry = 0;
let missed = false; // something may have changed without our hearing of it

function listen() {
  leave();
  const since = page.dataset.since; // what has changed while the page was on its way is told at once
  source = new EventSource(`/live?keys=${encodeURIComponent(page.dataset.keys)}&since=${since}`);
  heard = Date.now();
  for (const kind of ["hello", "alive", "published", "changed", "away", "here"]) {
    source.addEventListener(kind, () => { heard = Date.now(); });
  }
  source.addEventListener("hello", (event) => {
    const [instance, state] = event.data.split(" ");
    const anew = missed || instance !== page.dataset.instance;
    missed = false;
    say(state === "here" ? "" : REDIS_AWAY);
    if (anew) refresh();
  });
  source.addEventListener("published", (event) => published(event.data));
  source.addEventListener("changed", refresh);
  source.addEventListener("away", () => say(REDIS_AWAY));
  source.addEventListener("here", () => say(""));
  source.onerror = () => {
    missed = true;
    say(SERVER_AWAY);
    if (source?.readyState === EventSource.CLOSED) { // the browser gives up where the answer is no event stream
      clearTimeout(retry);
      retry = setTimeout(listen, RETRY_MS);
      refresh(); // says so if it is because nobody is logged in any more
    }
  };
}

function silence() {
  if (!source || Date.now() - heard < SILENT_MS) return;
  missed = true;
  say(SERVER_AWAY);
  listen();
}

function leave() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

// A browser holds six connections to a host at most: pages that nobody looks at would keep others from loading.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    missed = true;
    leave();
  } else if (!source) {
    listen();
  }
});
window.addEventListener("pagehide", leave);
window.addEventListener("pageshow", (event) => { if (event.persisted) { missed = true; listen(); } });
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);

localTimes(document);
document.addEventListener("DOMContentLoaded", drawCharts); // the script of charts may come later than this one
age();
setInterval(() => { silence(); age(); }, 1000);
if (document.visibilityState === "hidden") missed = true; else listen();
