// One <audio> over a verified file, and a log of all that happens to it. The log is what "heard" is computed from.
const POSITION_EVERY_MS = 5_000;
const SEEK_SLACK_S = 0.3;
const STARTABLE = new Set(["ready", "paused", "blocked", "failed"]);

export default function (component) {
  return openPage(component, (page, step) => makePlayer(page, step));
}

function makePlayer(page, step) {
  const { data } = page;
  const root = step.querySelector(".ip-player");
  const audio = root.querySelector("audio");
  const main = step.querySelector(".ip-player-main");
  const ends = new AbortController();
  const on = (target, names, handle) => {
    for (const name of names.split(" ")) target?.addEventListener?.(name, handle, { signal: ends.signal });
  };
  const rating = data.rating && continuousRating(page, root.querySelector(".ip-rating"), data.rating);
  const wake = wakeLock((detail) => write("wake_lock", detail));
  let state = "";
  let startS = data.position_s;
  let placedS = null;
  let running = false;
  let lastS = startS;
  let toldAt = 0;
  let untilTimer = 0;
  let context = null;
  let log = newLog();

  function newLog() {
    return openLog({
      key: data.log_key,
      sessionId: data.session_id,
      durationS: data.duration_s,
      onTrouble: (is) => { root.dataset.offline = is; tell(); },
      onLost: () => showElsewhere(page),
      onShut: () => { halt("pause", "link"); page.advance(); },
    });
  }

  function here() {
    const position = placedS === null ? startS : Math.round(audio.currentTime * 1000) / 1000;
    // A probe is due from its onset on: rounding must not put it off.
    return data.until === "probe" && audio.currentTime >= data.until_s ? Math.max(position, data.until_s) : position;
  }
  function write(kind, detail = null, values = []) { log.write(kind, here(), values, detail); }

  // ---- what is shown

  function show(next) {
    state = next;
    root.dataset.state = next;
    const isStarted = here() > 0;
    const label = { playing: "pause", stalled: "pause", paused: "go_on", damaged: "again", leaving: "go_on", blocked: "start", failed: "start" }[next]
      ?? (isStarted ? "go_on" : "start");
    main.textContent = page.word(`player.${label}`);
    main.classList.toggle("ip-player-start", STARTABLE.has(next));
    main.setAttribute("aria-disabled", String(["loading", "leaving", "elsewhere"].includes(next)));
    root.querySelector(".ip-loaded").hidden = next !== "loading";
    tell();
    tick();
  }
  function tell(share = null) {
    const words = {
      loading: share === null ? "" : page.word("player.loading", { percent: Math.floor(100 * share) }),
      offline: page.word("player.offline"),
      elsewhere: page.word("player.moved"),
      leaving: page.word(audio.ended ? "player.ended" : "page.busy"),
    };
    const isOffline = root.dataset.offline === "true" && ["playing", "paused", "leaving"].includes(state);
    const text = isOffline ? words.offline : words[state] ?? page.word(`player.${state}`);
    const place = root.querySelector(".ip-player-says");
    if (place.textContent !== text) place.textContent = text;
  }
  function tick() {
    const left = Math.max(0, Math.ceil(data.duration_s - here()));
    const words = page.word("player.remaining", { minutes: Math.floor(left / 60), seconds: left % 60 });
    root.querySelector(".ip-remaining").textContent = words;
    const minutes = root.querySelector(".ip-minutes");
    if (minutes.dataset.left !== String(Math.floor(left / 60))) {
      minutes.dataset.left = Math.floor(left / 60);
      minutes.textContent = words;
    }
  }

  // ---- the file

  async function load(isAgain = false) {
    show("loading");
    // What an earlier page could not send may tell of sound that was heard beyond this view.
    if (await within(sendRememberedLogs(data.log_key), 4000)) await lookAgain();
    try {
      const { blob, how } = await loadSound(data, {
        isAgain,
        isWanted: () => !ends.signal.aborted,
        onShare: (share) => { root.querySelector(".ip-loaded").value = 100 * share; tell(share); },
        onTrouble: () => { root.querySelector(".ip-player-says").textContent = page.word("player.load_failed"); },
      });
      if (ends.signal.aborted) return;
      audio.src = URL.createObjectURL(blob);
      await placed();
      write("loaded", how, [blob.size]);
      if (isLoudnessOurs) write("volume", null, [audio.volume]);
      if (document.hidden) write("hidden");
      if (state === "leaving" || state === "elsewhere") return;
      if (shared.goesOn === data.session_id) start();
      else show("ready");
    } catch (problem) {
      if (ends.signal.aborted || state === "leaving") return;
      if (problem instanceof SoundNotDue) { page.advance(); return; }
      write("error", problem instanceof DamagedSound ? `file:${problem.message}` : `load:${problem.name}`);
      show("damaged");
      main.focus();
    }
  }

  // The step that is due and where its sound is, after logs were sent or another tab has played.
  async function lookAgain() {
    const reply = await fetchJson("/api/me/step").catch(() => null);
    if (reply?.status !== 200) return;
    if (reply.body.key !== page.view.key) page.advance();
    else startS = Math.max(startS, reply.body.data.position_s);
  }

  function placed() {
    placedS = null;
    return new Promise((resolve, reject) => {
      audio.onerror = () => reject(new Error(`media:${audio.error?.code}`));
      const done = () => { audio.onerror = null; placedS = startS; lastS = startS; resolve(); };
      const place = () => {
        if (startS <= 0 && audio.currentTime === 0) { done(); return; }
        audio.addEventListener("seeked", done, { once: true });
        audio.currentTime = startS;
      };
      if (audio.readyState >= 1) place();
      else audio.addEventListener("loadedmetadata", place, { once: true });
    });
  }

  // ---- what a person does

  async function start() {
    shared.goesOn = null;
    if (state === "failed") audio.load();
    try {
      await audio.play();
      watchContext();
    } catch (problem) {
      if (problem.name === "AbortError" || ends.signal.aborted) return;
      write("error", `play:${problem.name}`);
      show(problem.name === "NotAllowedError" ? "blocked" : "failed");
    }
  }
  // The sound is silent before anything else is thought of.
  function halt(kind, detail = null) {
    audio.pause();
    clearTimeout(untilTimer);
    const was = running;
    running = false;
    wake.release();
    if (was || kind !== "pause") write(kind, detail);
  }
  async function leave() {
    show("leaving");
    await log.flush();
    page.advance();
  }
  function pauseFor(detail = null) {
    if (!running && state !== "stalled") return;
    running = true;
    halt("pause", detail);
    show("paused");
  }

  main.addEventListener("click", () => {
    if (main.getAttribute("aria-disabled") === "true") return;
    if (state === "damaged") load(true);
    else if (STARTABLE.has(state)) start();
    else pauseFor();
  });
  step.querySelector(".ip-player-stop").addEventListener("click", () => {
    if (state === "leaving") return;
    halt("stop");
    shared.goesOn = data.session_id;
    leave();
    root.querySelector(".ip-player-says").textContent = page.word("player.stopped");
  });
  // While a question stands over the page nothing plays that could not be stopped at once.
  const help = page.root.querySelector(".ip-help");
  help.hidden = true;
  step.querySelector(".ip-player-help").addEventListener("click", () => { shared.goesOn = data.session_id; help.click(); });
  for (const name of [".ip-help", ".ip-withdraw"]) on(page.root.querySelector(name), "click", () => pauseFor("question"));

  // ---- what happens to the sound

  function watchUntil() {
    clearTimeout(untilTimer);
    if (!running || data.until !== "probe") return;
    const leftS = data.until_s - audio.currentTime;
    if (leftS > 0) { untilTimer = setTimeout(watchUntil, Math.min(1000, Math.max(5, leftS * 1000))); return; }
    halt("pause", "probe");
    shared.goesOn = data.session_id;
    leave();
  }
  on(audio, "playing", () => {
    if (running || state === "leaving") return;
    running = true;
    write(state === "stalled" ? "resume" : "play");
    toldAt = performance.now();
    wake.hold();
    show("playing");
    watchUntil();
  });
  on(audio, "waiting", () => {
    if (!running || audio.seeking) return;
    running = false;
    write("stall");
    show("stalled");
  });
  // Somebody else paused it: headphones pulled out, a call, another program.
  on(audio, "pause", () => {
    if (!running || audio.ended) return;
    halt("pause", "outside");
    show("paused");
  });
  on(audio, "timeupdate", () => {
    if (!audio.seeking && placedS !== null) lastS = audio.currentTime;
    watchUntil();
  });
  on(audio, "ended", () => {
    if (state === "leaving" || lastS < data.duration_s - 2) return;
    running = false;
    wake.release();
    log.write("ended", data.duration_s);
    leave();
  });
  on(audio, "error", () => {
    if (placedS === null) return;
    halt("error", `media:${audio.error?.code}`);
    show("failed");
  });
  on(audio, "seeking", () => {
    const wantedS = audio.currentTime;
    if (placedS === null || Math.abs(wantedS - lastS) < SEEK_SLACK_S) return;
    audio.currentTime = lastS;
    log.write("seek_undone", lastS, [Math.round(wantedS * 1000) / 1000]);
  });
  on(audio, "ratechange", () => {
    write("rate", null, [audio.playbackRate]);
    if (audio.playbackRate !== 1) audio.playbackRate = 1;
  });

  const isLoudnessOurs = loudness(page, root, audio, on, (kind, values) => { if (placedS !== null) write(kind, null, values); }, data.volume);

  const every = setInterval(() => {
    tick();
    if (!running) return;
    const given = rating?.value();
    if (given) write("rating", null, given);
    if (performance.now() - toldAt >= POSITION_EVERY_MS - 50) { toldAt = performance.now(); write("position"); }
  }, 1000);

  // ---- what happens around it

  on(document, "visibilitychange", () => {
    write(document.hidden ? "hidden" : "visible");
    if (!document.hidden && running) wake.hold();
  });
  on(window, "offline online", (event) => write(event.type));
  on(navigator.mediaDevices, "devicechange", () => write("device"));
  on(window, "pagehide", () => {
    audio.pause();
    running = false;
    write("closed");
    log.beacon();
  });
  on(window, "pageshow", (event) => { if (event.persisted && state === "playing") show("paused"); });
  const session = mediaSession(page, { start: () => { if (STARTABLE.has(state)) start(); }, pause: () => pauseFor("lock_screen") });
  if (data.has_visual) gentlePicture(page, root);

  function watchContext() {
    if (context || !window.AudioContext) return;
    context = new AudioContext();
    write("audio_context", context.state);
    on(context, "statechange", () => write("audio_context", context.state));
  }

  load();
  return {
    onLease(lease) {
      if (lease === "other" && state !== "elsewhere" && state !== "leaving") {
        halt("pause", "lease");
        show("elsewhere");
      } else if (lease === "yours" && state === "elsewhere") {
        // The other tab may have played on: a new player begins where the record says.
        show("loading");
        lookAgain().then(async () => {
          log = newLog();
          if (!audio.src) { load(); return; }
          await placed();
          show("ready");
        });
      }
    },
    close() {
      halt("pause", "page");
      write("closed");
      log.flush();
      clearInterval(every);
      ends.abort();
      session.end();
      context?.close();
      if (audio.src) { URL.revokeObjectURL(audio.src); audio.removeAttribute("src"); }
    },
  };
}

const within = (promise, ms) => Promise.race([promise, pause(ms).then(() => true)]);
