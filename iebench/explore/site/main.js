"use strict";
// Opens the pages by the address behind #, and holds what they share.

const PAGES = [
  { name: "browse", title: "Browse", open: pageBrowse },
  { name: "object", title: "Object", open: pageObject },
  { name: "pair", title: "Pair", open: pagePair },
  { name: "map", title: "Map", open: pageMap, needs: () => site.runs.length },
  { name: "retrieval", title: "Retrieval", open: pageRetrieval, needs: () => site.runs.length },
  { name: "steering", title: "Steering", open: pageSteering, needs: () => site.runs.some(run => run.steers) },
  { name: "disagreement", title: "Disagreement", open: pageDisagreement, needs: () => site.runs.length > 1 },
];
const remembered = {};  // between pages: the object, whether the code is open
let leaving = new AbortController();

function addressOf(page, params = {}) {
  const kept = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return `#${page}${text ? `?${text}` : ""}`;
}

function goTo(page, params) {
  location.hash = addressOf(page, params);
}

/** Put what is on the screen into the address, without a new step in the history; not where another page is open by now. */
function keepInAddress(content, params) {
  if (content.isConnected) history.replaceState(null, "", addressOf(currentPage().name, params));
}

function currentPage() {
  const name = location.hash.slice(1).split("?")[0];
  return shownPages().find(page => page.name === name) ?? PAGES[0];
}

function shownPages() {
  return PAGES.filter(page => !page.needs || page.needs());
}

function openPage() {
  leaving.abort();
  leaving = new AbortController();
  const page = currentPage(), main = document.getElementById("main");
  document.title = `${page.title} · ${site.name}`;
  document.querySelectorAll("nav a").forEach(link => link.dataset.page === page.name ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current"));
  document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  const content = make("div", { class: "content" });
  main.replaceChildren(content);
  scrollTo(0, 0);
  Promise.resolve().then(() => page.open(content, new URLSearchParams(location.hash.split("?")[1] ?? ""))).catch(showError);
}

function showError(error) {
  document.getElementById("main").replaceChildren(make("p", { class: "note", role: "alert" }, String(error.message ?? error)));
  throw error;
}

/** A key of the page that is open; not while somebody writes or moves a slider. */
function onKey(key, action) {
  addEventListener("keydown", event => {
    if (event.key !== key || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [role=slider], svg, dialog")) return;
    event.preventDefault();
    action();
  }, { signal: leaving.signal });
}

function makeTop() {
  const links = shownPages().map(page => make("a", { href: `#${page.name}`, "data-page": page.name }, page.title));
  const shown = site.numPlaces < site.numObjects ? `${thousands(site.numPlaces)} of ${count(site.numObjects, "object")}` : count(site.numObjects, "object");
  const brand = make("div", { class: "brand" }, make("strong", {}, site.name), make("span", { class: "faint" }, `${shown} × ${count(site.numViews, "view")} · ${site.imageSize} px · ${site.space}`));
  const theme = make("button", { type: "button", class: "icon", "aria-label": "Light or dark", title: "Light or dark", onclick: switchTheme }, "◐");
  const help = make("button", { type: "button", class: "icon keys-button", "aria-label": "Keys", title: "Keys", onclick: () => document.getElementById("keys").showModal() }, "?");
  document.getElementById("top").append(brand, make("nav", { "aria-label": "Pages" }, links), make("div", { class: "buttons" }, theme, help));
  document.body.append(makeHelp());
}

function makeHelp() {
  const keys = [["/", "search"], ["← → ↑ ↓", "through the grid; on an object, through its views"], ["Enter", "open what is chosen"], ["Tab, then ← →", "move a dial, a range of a histogram, or the scene"], ["+ − 0", "closer, farther, and all of a map"], ["Esc", "clear a range, close this"]];
  return make("dialog", { id: "keys", "aria-label": "Keys" }, make("h2", {}, "Keys"), makeFacts(keys.map(([key, does]) => [make("kbd", {}, key), does])),
    make("p", { class: "faint" }, `Made by iebench ${site.version}. The address holds what you see: copy it to share that.`),
    make("form", { method: "dialog" }, make("button", { autofocus: true }, "Close")));
}

function switchTheme() {
  const isDark = getComputedStyle(document.documentElement).getPropertyValue("color-scheme").trim() === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = isDark ? "light" : "dark";
  dispatchEvent(new Event("themechange"));
  try { localStorage.setItem("iebench-theme", document.documentElement.dataset.theme); } catch { /* opened from disk, where some browsers keep nothing */ }
}

function recallTheme() {
  try {
    const theme = localStorage.getItem("iebench-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* as above */ }
}

addEventListener("DOMContentLoaded", async () => {
  recallTheme();
  try {
    openIndex(await load("index"));
    makeTop();
    addEventListener("hashchange", openPage);
    addEventListener("keydown", event => {
      if (event.key === "/" && !event.target.closest("input, textarea")) {
        event.preventDefault();
        if (currentPage().name !== "browse") goTo("browse");
        requestAnimationFrame(() => { document.querySelector(".filters")?.setAttribute("open", ""); document.getElementById("search")?.focus(); });
      }
    });
    openPage();
  } catch (error) {
    showError(error);
  }
});
