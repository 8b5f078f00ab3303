// What every participant's page does alike: words, saving, leases, moving on.
// Put before each component's own script by mounting.py; the page holds no state of the study.

const shared = (window.__isopath ??= { tab: null, lease: "unknown", heartbeat: 0, open: null });
const LEASE_EVERY_MS = 10_000;
const RELOAD_AFTER_MS = 4_000;
const LONGEST_WAIT_MS = 5_000;

// The id lives in this page alone while it is open, and in sessionStorage only while it is not:
// a reload finds it there again, and a duplicated tab, which copies the storage, does not.
function tabId() {
  if (shared.tab) return shared.tab;
  const storage = "isopath-tab";
  const keep = () => { try { sessionStorage.setItem(storage, shared.tab); } catch { /* private browsing */ } };
  const take = () => {
    try {
      const kept = sessionStorage.getItem(storage);
      sessionStorage.removeItem(storage);
      return kept;
    } catch { return null; }
  };
  shared.tab = take() ?? randomId();
  window.addEventListener("pagehide", () => { keep(); releaseLease(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { take(); askLease(false); } });
  return shared.tab;
}

function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function fetchJson(path, options = {}, limitMs = 10_000) {
  const response = await fetch(path, {
    credentials: "same-origin",
    cache: "no-store",
    ...options,
    signal: AbortSignal.timeout(limitMs),
  });
  let body = {};
  try { body = await response.json(); } catch { /* an answer without a body */ }
  return { status: response.status, body, retryAfter: Number(response.headers.get("retry-after")) || 0 };
}

// Posts until the server has answered with something other than trouble of its own.
async function post(path, body, { onTrouble = () => {}, isWanted = () => true } = {}) {
  let wait = 500;
  for (;;) {
    let reply = null;
    try {
      reply = await fetchJson(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        keepalive: true,
      });
    } catch { /* no network: try again */ }
    if (reply && reply.status < 500 && reply.status !== 429) return reply;
    onTrouble(reply);
    await pause(Math.min(LONGEST_WAIT_MS, Math.max(wait, (reply?.retryAfter ?? 0) * 1000)));
    if (!isWanted()) return { status: 0, body: {} };
    wait *= 1.7;
  }
}

async function isServerThere() {
  try { return (await fetchJson("/api/me/step", {}, 3000)).status < 500; } catch { return false; }
}

// Asks Streamlit for the page that is due now; if nothing changes, the page itself is loaded anew,
// though only once the server answers, since a browser's own error page would help nobody.
function advance(component) {
  component.setTriggerValue("advanced", `${component.data.key}#${randomId()}`);
  const open = shared.open;
  const reload = async () => {
    if (shared.open !== open || open?.closed) return;
    if (await isServerThere()) location.reload();
    else { open?.say("page.offline"); setTimeout(reload, 2000); }
  };
  setTimeout(reload, RELOAD_AFTER_MS);
}

function say(words, key, values = {}) {
  return (words[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

function fillWords(root, words) {
  for (const node of root.querySelectorAll("[data-words]")) node.textContent = say(words, node.dataset.words);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(words, node.dataset.label));
}

// When its own connection breaks, Streamlit lays an English dialog over the page and makes all below it
// inert, so that no Stop could be pressed. Ours says what there is to say: the dialog is closed at once.
function keepPageFree() {
  if (shared.keepingFree) return;
  shared.keepingFree = true;
  const close = () => {
    for (const button of document.querySelectorAll('body > [data-testid="stDialog"] [role="dialog"] > button')) button.click();
  };
  new MutationObserver(close).observe(document.body, { childList: true });
  close();
}

// element("p", {class: "x", onclick: f}, "words", child)
function element(name, attributes = {}, ...children) {
  const made = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

let nextId = 0;
const freshId = () => `ip-${(nextId += 1)}-${randomId().slice(0, 4)}`;

// Streamlit may call a component again with the same view, or reuse its place for another one.
function openPage(component, build) {
  keepPageFree();
  const root = component.parentElement.querySelector(".ip-page");
  const view = component.data;
  const key = `${view.kind}/${view.key}/${view.language}`;
  if (root.opened?.key === key) {
    root.opened.component = component;
    root.opened.refresh?.(view);
    return root.opened.close;
  }
  // Streamlit lets the page before stand for a moment beside the new one: never are both to be seen or pressed.
  if (shared.open && shared.open.root !== root) { shared.open.close(); shared.open.root.hidden = true; }
  root.hidden = false;
  root.opened?.close();
  root.pristine ??= root.innerHTML;
  root.innerHTML = root.pristine;
  const opened = makePage(component, root, view, key);
  root.opened = opened;
  shared.open = opened;
  const step = root.querySelector(".ip-main");
  const extra = build(opened, step) ?? {};
  fillWords(root, view.words);
  opened.refresh = extra.refresh;
  opened.cleanUp = extra.close;
  opened.onLease = extra.onLease;
  document.title = [step.querySelector("h1")?.textContent, view.study_title].filter(Boolean).join(" – ");
  if (shared.seenPage) { window.scrollTo(0, 0); document.querySelector(".stMain")?.scrollTo(0, 0); focusHeading(step); }
  shared.seenPage = true;
  if (view.kind !== "closed") keepLease(opened);
  return opened.close;
}

function focusHeading(part) {
  const heading = part.querySelector("h1:not([hidden])") ?? part.querySelector("h1, h2");
  if (!heading) return;
  heading.setAttribute("tabindex", "-1");
  heading.focus({ preventScroll: true });
}

function makePage(component, root, view, key) {
  const words = view.words;
  const status = root.querySelector(".ip-status");
  const opened = {
    key,
    component,
    view,
    data: view.data,
    words,
    root,
    closed: false,
    saving: false,
    shownAt: performance.now(),
    word: (name, values) => say(words, name, values),
    say: (name, values) => { status.textContent = name ? say(words, name, values) : ""; },
    close: () => {
      if (opened.closed) return;
      opened.closed = true;
      opened.cleanUp?.();
    },
    advance: () => advance(opened.component),
    save: (answer, saidWhenSaved) => save(opened, answer, saidWhenSaved),
    ask: (text, choices) => ask(root, text, choices),
  };
  document.documentElement.lang = view.language;
  document.documentElement.dir = view.direction;
  root.setAttribute("lang", view.language);
  root.setAttribute("dir", view.direction);
  for (const dialog of root.querySelectorAll("dialog")) dialog.setAttribute("dir", view.direction);
  root.querySelector(".ip-title-of-study").textContent = view.study_title;
  root.querySelector(".ip-simulated").hidden = !view.simulated;
  showProgress(root, view);
  showLanguages(opened);
  showFooter(opened);
  return opened;
}

function showProgress(root, view) {
  const { done, of } = view.progress;
  const progress = root.querySelector(".ip-progress");
  progress.hidden = !of || view.kind === "finished";
  if (progress.hidden) return;
  const step = Math.min(done + 1, of);
  progress.querySelector(".ip-progress-words").textContent = say(view.words, "page.progress", { done: step, of });
  progress.querySelector(".ip-progress-line > span").style.inlineSize = `${(100 * done) / of}%`;
}

function showLanguages(opened) {
  const { view, root } = opened;
  const group = root.querySelector(".ip-languages");
  group.hidden = view.languages.length < 2 || view.kind === "player";
  for (const language of view.languages) {
    const isThis = language.code === view.language;
    group.append(element("button", {
      type: "button",
      class: `ip-button ip-button--${isThis ? "quiet" : "link"}`,
      lang: language.code,
      dir: language.direction,
      "aria-pressed": isThis,
      onclick: async () => {
        if (isThis) return;
        await post("/api/me/language", { language: language.code }, { onTrouble: () => opened.say("page.offline") });
        location.reload();
      },
    }, language.name));
  }
}

function showFooter(opened) {
  const { view, root } = opened;
  // `choices`: button of the dialog to what it sends.
  const withDialog = (button, dialog, path, choices) => {
    root.querySelector(button).addEventListener("click", () => root.querySelector(dialog).showModal());
    root.querySelector(`${dialog} .ip-no`).addEventListener("click", () => root.querySelector(dialog).close());
    for (const [choice, what] of Object.entries(choices)) root.querySelector(`${dialog} ${choice}`).addEventListener("click", async () => {
      if (opened.saving) return;
      opened.saving = true;
      root.querySelector(dialog).close();
      opened.say("page.saving");
      const reply = await post(path, { tab_id: tabId(), ...what }, { onTrouble: () => opened.say("page.offline") });
      opened.saving = false;
      if (reply.status === 200) { opened.say("page.saved"); opened.advance(); }
      else if (reply.body.code === "lease") showElsewhere(opened);
      else if (reply.status === 401 || reply.status === 409) opened.advance();
      else opened.say("page.invalid");
    });
  };
  root.querySelector(".ip-help").hidden = !view.session_id || ["support", "finished"].includes(view.kind);
  root.querySelector(".ip-withdraw").hidden = !view.can_withdraw;
  withDialog(".ip-help", ".ip-help-dialog", "/api/me/call-staff", { ".ip-yes": { session_id: view.session_id } });
  withDialog(".ip-withdraw", ".ip-withdraw-dialog", "/api/me/withdraw", {
    ".ip-keep": { keeps_data: true },
    ".ip-erase": { keeps_data: false },
  });
}

// One answer, once: saved, then said to be saved, then on to what is due.
async function save(opened, answer, saidWhenSaved = "page.saved") {
  if (opened.saving || opened.closed) return;
  opened.saving = true;
  const seconds = (performance.now() - opened.shownAt) / 1000;
  const buttons = [...opened.root.querySelectorAll(".ip-main button")];
  buttons.forEach((button) => button.setAttribute("aria-disabled", "true"));
  opened.say("page.saving");
  const send = () => post(
    "/api/me/answer",
    { tab_id: tabId(), key: opened.view.key, answer, response_time_s: Math.round(seconds * 1000) / 1000 },
    { onTrouble: (reply) => opened.say(reply?.status === 429 ? "page.busy" : "page.offline") },
  );
  let reply = await send();
  // A lease that ran out while the device slept is asked for again before anybody is told.
  if (reply.body.code === "lease" && (await askLease(false)) === "yours") reply = await send();
  if (reply.body.code === "lease") {
    release();
    showElsewhere(opened);
    return;
  }
  if (reply.status === 413 || reply.status === 422) {
    release();
    opened.say("page.invalid");
    return;
  }
  opened.say(reply.status === 200 ? saidWhenSaved : "page.busy");
  opened.advance();

  function release() {
    opened.saving = false;
    buttons.forEach((button) => button.removeAttribute("aria-disabled"));
  }
}

// A question over the page; resolves to the value of the choice, or null where it was closed.
function ask(root, text, choices) {
  const dialog = root.querySelector(".ip-question-dialog");
  const actions = dialog.querySelector(".ip-actions");
  dialog.querySelector(".ip-question-text").textContent = text;
  const label = dialog.querySelector(".ip-question-text");
  label.id ||= freshId();
  dialog.setAttribute("aria-labelledby", label.id);
  return new Promise((resolve) => {
    let chosen = null;
    actions.replaceChildren(...choices.map(({ value, words }) => element("button", {
      type: "button",
      class: "ip-button ip-button--quiet",
      onclick: () => { chosen = value; dialog.close(); },
    }, words)));
    dialog.addEventListener("close", () => resolve(chosen), { once: true });
    dialog.showModal();
  });
}

// ---- one place at a time

async function askLease(takeOver) {
  try {
    const reply = await fetchJson("/api/me/lease", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ tab_id: tabId(), take_over: takeOver }),
    });
    if (reply.status === 200 && reply.body.lease) shared.lease = reply.body.lease;
    if (reply.status === 401 && shared.open?.view.kind !== "closed") shared.open?.advance();
  } catch { /* no network: whoever held it goes on holding it */ }
  return shared.lease;
}

function releaseLease() {
  if (shared.lease !== "yours") return;
  const body = new Blob([JSON.stringify({ tab_id: tabId(), release: true })], { type: "application/json" });
  navigator.sendBeacon?.("/api/me/lease", body);
  shared.lease = "unknown";
}

async function keepLease(opened) {
  clearInterval(shared.heartbeat);
  const beat = async () => {
    if (opened.closed || shared.open !== opened) return;
    const before = shared.lease;
    const now = await askLease(false);
    if (opened.closed || shared.open !== opened) return;
    if (now === "other") showElsewhere(opened);
    else if (before === "other" && now === "yours") opened.advance();
    opened.onLease?.(now);
  };
  shared.heartbeat = setInterval(beat, LEASE_EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) beat(); });
  await beat();
}

// Kindly: it is open elsewhere. Going on here asks the server for the page that is due, since it may be another.
function showElsewhere(opened) {
  const { root } = opened;
  const panel = root.querySelector(".ip-elsewhere");
  if (!panel.hidden) return;
  shared.lease = "other";
  root.querySelector(".ip-main").hidden = true;
  root.querySelector(".ip-footer").hidden = true;
  root.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  opened.say("");
  panel.hidden = false;
  focusHeading(panel);
  opened.onLease?.("other");
  panel.querySelector(".ip-button").addEventListener("click", async () => {
    opened.say("page.busy");
    for (let wait = 500; (await askLease(true)) !== "yours"; wait = Math.min(LONGEST_WAIT_MS, wait * 1.7)) {
      opened.say("page.offline");
      await pause(wait);
    }
    panel.hidden = true;
    root.querySelector(".ip-main").hidden = false;
    root.querySelector(".ip-footer").hidden = false;
    opened.say("");
    opened.onLease?.("yours");
    const due = await dueNow();
    if (due && due !== opened.view.key) opened.advance();
    else focusHeading(root.querySelector(".ip-main"));
  }, { once: true });
}

async function dueNow() {
  try {
    const reply = await fetchJson("/api/me/step");
    return reply.status === 200 ? reply.body.key : null;
  } catch { return null; }
}

// Text of the protocol, made safe on the server. Its own first heading takes the place of ours.
function showHtml(step, html) {
  const place = step.querySelector(".ip-html");
  place.innerHTML = html;
  place.hidden = !html;
  const first = place.firstElementChild;
  const title = step.querySelector(".ip-own-title");
  if (title && first?.tagName === "H1") title.hidden = true;
  else for (const heading of place.querySelectorAll("h1")) {
    const lower = element("h2");
    lower.append(...heading.childNodes);
    heading.replaceWith(lower);
  }
}

// A question answered by one of several large buttons: real radio buttons, so that keys and
// screen readers know them. Options: [{value, words, picture?}]
function radioGroup({ legend, options, isList = false, onChange = () => {} }) {
  const name = freshId();
  const choices = element("div", { class: `ip-choices${isList ? " ip-choices--list" : ""}` });
  for (const { value, words, label, picture } of options) {
    const input = element("input", { type: "radio", name, value, "aria-label": label, onchange: () => onChange(value) });
    choices.append(element("label", { class: "ip-choice" }, input, element("span", {}, picture, ...[words].flat())));
  }
  const field = element("fieldset", { class: "ip-field" }, element("legend", {}, legend), choices);
  const chosen = () => choices.querySelector("input:checked")?.value ?? null;
  return { field, choices, chosen, focus: () => choices.querySelector("input")?.focus() };
}

// What is not answered may be left out, after one kind question, unless it is needed.
// `missing`: [{words, focus, isRequired}]; gives whether to go on without them.
async function mayLeaveOut(page, missing) {
  if (!missing.length) return true;
  const required = missing.filter((one) => one.isRequired);
  const named = (required.length ? required : missing).map((one) => one.words).join(" · ");
  if (required.length) {
    await page.ask(page.word("page.missing.required", { items: named }), [
      { value: "back", words: page.word("page.missing.back") },
    ]);
    required[0].focus();
    return false;
  }
  const chosen = await page.ask(page.word("page.missing", { items: named }), [
    { value: "back", words: page.word("page.missing.back") },
    { value: "leave", words: page.word("page.missing.leave") },
  ]);
  if (chosen === "leave") return true;
  missing[0].focus();
  return false;
}

// Whole points from low to high with words at both ends; pictures where a study brings them.
function scaleGroup(page, { low, points, low_words, high_words, legend, pictures }) {
  const ends = { 0: low_words, [points - 1]: high_words };
  const options = Array.from({ length: points }, (_, i) => {
    const value = String(low + i);
    const picture = pictures ? element("img", { src: pictures[i], alt: "", class: "ip-scale-picture" }) : null;
    const place = page.word("page.point", { point: i + 1, points });
    const end = ends[i] ? element("span", { class: "ip-point-end" }, ends[i]) : null;
    const words = element("span", {}, picture ? null : value);
    return { value, words: [words, end], picture, label: ends[i] ? `${place}, ${ends[i]}` : place };
  });
  const group = radioGroup({ legend, options });
  group.field.classList.add("ip-scale", points > 5 ? "ip-scale--long" : "ip-scale--short");
  group.choices.before(element("div", { class: "ip-scale-ends", "aria-hidden": "true" },
    element("span", {}, low_words), element("span", {}, high_words)));
  return { ...group, number: () => (group.chosen() === null ? null : Number(group.chosen())) };
}
