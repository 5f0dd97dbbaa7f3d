// Keeps an open page true: it is fetched anew when a snapshot that it shows has changed, and says so when it is old.
"use strict";

const page = document.documentElement;
let views = [];
let fetching = false;
let again = false;
let instance = page.dataset.instance;

function localTimes(root) {
  const form = new Intl.DateTimeFormat(undefined, {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
  for (const time of root.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) time.textContent = form.format(at);
  }
}

async function drawCharts(root) {
  const charts = root.querySelectorAll("figure[data-chart]");
  if (!charts.length || !window.vegaEmbed) return;
  const style = getComputedStyle(page);
  const ink = style.getPropertyValue("--ink").trim();
  const line = style.getPropertyValue("--line").trim();
  const config = {
    background: "transparent", font: "system-ui, sans-serif",
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12 },
    legend: { labelColor: ink, titleColor: ink, labelFontSize: 12 }, title: { color: ink }, header: { labelColor: ink, titleColor: ink },
    text: { color: ink }, rule: { color: ink }, view: { stroke: line },
  };
  for (const figure of charts) {
    const place = figure.querySelector("[data-place]");
    const spec = JSON.parse(figure.querySelector("script").textContent);
    try {
      const drawn = await window.vegaEmbed(place, spec, {
        ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false, config
      });
      views.push(drawn);
      figure.classList.add("drawn");
    } catch (error) {
      figure.classList.add("undrawn"); // its table stays open
      console.error(error);
    }
  }
}

function forgetCharts() {
  for (const view of views) view.finalize();
  views = [];
}

function remembered(main) {
  return {
    open: [...main.querySelectorAll("details[id][open]")].map((one) => one.id),
    closed: [...main.querySelectorAll("details[id]:not([open])")].map((one) => one.id),
    focus: document.activeElement && main.contains(document.activeElement) ? document.activeElement.id : "",
    fields: [...main.querySelectorAll("input[id], select[id]")].map((one) => [one.id, one.value]),
    scroll: [window.scrollX, window.scrollY],
  };
}

function recall(main, held) {
  for (const id of held.open) document.getElementById(id)?.setAttribute("open", "");
  for (const id of held.closed) document.getElementById(id)?.removeAttribute("open");
  for (const [id, value] of held.fields) {
    const field = document.getElementById(id);
    if (field && field.type !== "hidden" && field.value !== value) field.value = value;
  }
  if (held.focus) document.getElementById(held.focus)?.focus({ preventScroll: true });
  window.scrollTo(...held.scroll);
}

async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    const text = await answer.text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const main = document.querySelector("main");
    const next = fresh.querySelector("main");
    if (next) {
      const held = remembered(main);
      forgetCharts();
      main.replaceChildren(...next.childNodes);
      document.title = fresh.title;
      page.dataset.published = fresh.documentElement.dataset.published || "";
      page.dataset.instance = fresh.documentElement.dataset.instance;
      localTimes(main);
      recall(main, held);
      await drawCharts(main);
      recall(main, held);
      age();
      const keys = fresh.documentElement.dataset.keys;
      if (keys !== page.dataset.keys) { page.dataset.keys = keys; listen(); }
    }
  } catch (error) {
    console.warn(error);
  } finally {
    fetching = false;
    if (again) { again = false; setTimeout(refresh, 500); }
  }
}

const band = document.getElementById("band");
let away = "";

function age() {
  const published = Date.parse(page.dataset.published || "");
  const seconds = (Date.now() - published) / 1000;
  const limit = Number(page.dataset.staleS);
  let says = away;
  if (!says && Number.isFinite(seconds) && seconds > limit) {
    const shown = seconds < 120 ? `${Math.round(seconds)} seconds` : seconds < 7200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
    says = `What you see is old: nothing has been published for ${shown}. Is a publisher running?`;
  }
  if (band.textContent !== says) band.textContent = says;
  band.hidden = !says;
  page.classList.toggle("stale", Boolean(says));
}

let source = null;

function listen() {
  if (source) source.close();
  source = new EventSource(`/live?keys=${encodeURIComponent(page.dataset.keys || "quality")}`);
  source.addEventListener("hello", (event) => {
    const [id, state] = event.data.split(" ");
    const missed = away || id !== instance;
    instance = id;
    away = state === "here" ? "" : "Redis does not answer: what you see is old. It is looked for again all the time.";
    age();
    if (missed) refresh();
  });
  source.addEventListener("changed", (event) => {
    const keys = event.data.split(" ");
    if (keys.length === 1 && keys[0] === "quality" && !page.dataset.keys.startsWith("quality")) quality(); else refresh();
  });
  source.addEventListener("away", () => { away = "Redis does not answer: what you see is old. It is looked for again all the time."; age(); });
  source.addEventListener("here", () => { away = ""; refresh(); });
  source.onerror = () => { away = "The dashboard's server does not answer: what you see is old."; age(); };
}

// Every page shows how old the figures are; only one that shows `quality` itself is made anew for it.
async function quality() {
  try {
    const answer = await fetch("/api/age");
    if (answer.ok) { page.dataset.published = (await answer.json()).published_at || ""; age(); }
  } catch (error) { console.warn(error); }
}

localTimes(document);
drawCharts(document);
age();
setInterval(age, 1000);
setInterval(quality, 10000);
listen();
