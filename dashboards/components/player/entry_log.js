// A player's log: numbered lines, kept in this browser until the server has acknowledged them.
const LOG_ROUTE = "/api/me/playback";
const LOG_PREFIX = "isopath-log/";
const MOST_LINES = 200;
const SEND_EVERY_MS = 5_000;
const AT_ONCE = new Set(["loaded", "play", "pause", "stop", "ended", "hidden", "error", "volume", "muted", "unmuted"]);

const logBody = ({ sessionId, playerId }, lines) => JSON.stringify({
  tab_id: tabId(), session_id: sessionId, player_id: playerId, entries: lines,
});

// Gives up after `ms`, or as soon as the network is back.
const waitForNetwork = (ms) => new Promise((resolve) => {
  const done = () => { clearTimeout(timer); window.removeEventListener("online", done); resolve(); };
  const timer = setTimeout(done, ms);
  window.addEventListener("online", done);
});

// Sends lines in order until all are acknowledged. `log.lines[0]` has the number `log.first`.
function logSender(log, { onAcknowledged = () => {}, onTrouble = () => {}, onLost = () => {}, onShut = () => {} } = {}) {
  let acknowledged = log.first;
  let running = null;
  let over = false;
  const waiting = () => log.lines.slice(acknowledged - log.first);

  async function sendAll() {
    for (let wait = 500; !over && waiting().length; ) {
      let reply = null;
      try {
        reply = await fetchJson(LOG_ROUTE, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: logBody(log, waiting().slice(0, MOST_LINES)),
          keepalive: true,
        });
      } catch { /* no network: try again */ }
      if (!reply || reply.status >= 500 || reply.status === 429) {
        onTrouble(true);
        await waitForNetwork(Math.max(wait, (reply?.retryAfter ?? 0) * 1000));
        wait = Math.min(LONGEST_WAIT_MS, wait * 1.7);
        continue;
      }
      onTrouble(false);
      wait = 500;
      if (reply.status === 200 || (reply.status === 409 && reply.body.code === "gap")) {
        const before = acknowledged;
        acknowledged = reply.status === 200 ? Math.max(acknowledged, reply.body.acknowledged) : reply.body.acknowledged;
        // Lines that neither the server nor this browser has any more: the rest cannot follow.
        if (acknowledged < log.first || (reply.status === 409 && acknowledged >= before)) over = true;
        onAcknowledged(over ? [] : waiting());
        if (reply.body.lease === "lost") onLost();
      } else if (reply.status === 401) {
        over = true;
        onShut();
      } else {
        over = true;
        onAcknowledged([]);
        console.warn("isopath: the log was refused", reply.status, reply.body.message);
      }
    }
  }

  return {
    waiting,
    // Settles when everything is acknowledged, or nothing more can be.
    flush() {
      running ??= sendAll().finally(() => { running = null; });
      return running.then(() => (!over && waiting().length ? this.flush() : undefined));
    },
  };
}

// The log of one player. `key` is the person's own: lines are never sent for anybody else.
function openLog({ key, sessionId, durationS, ...heard }) {
  const log = { sessionId, playerId: randomId(), first: 0, lines: [] };
  const made = performance.now();
  const place = `${LOG_PREFIX}${key}/${log.playerId}`;
  const keep = (lines) => {
    try {
      if (lines.length) localStorage.setItem(place, JSON.stringify({ sessionId, first: lines[0].sequence, lines }));
      else localStorage.removeItem(place);
    } catch { /* private browsing: memory alone */ }
  };
  const sender = logSender(log, { ...heard, onAcknowledged: keep });
  let timer = 0;
  const flush = () => { clearTimeout(timer); timer = 0; return sender.flush(); };
  return {
    playerId: log.playerId,
    flush,
    write(kind, positionS, values = [], detail = null) {
      const line = {
        sequence: log.lines.length,
        kind,
        at_ms: Math.round(performance.now() - made),
        position_s: Math.min(durationS, Math.max(0, positionS)),
      };
      if (values.length) line.values = values;
      if (detail) line.detail = String(detail).slice(0, 100);
      log.lines.push(line);
      keep(sender.waiting());
      if (AT_ONCE.has(kind)) flush();
      else timer ||= setTimeout(flush, SEND_EVERY_MS);
    },
    // For a page that goes away now; what does not arrive stays in the browser.
    beacon() {
      const lines = sender.waiting().slice(0, MOST_LINES);
      if (lines.length) navigator.sendBeacon?.(LOG_ROUTE, new Blob([logBody(log, lines)], { type: "application/json" }));
    },
  };
}

// What earlier players of the same person left unsent in this browser; gives how many there were.
async function sendRememberedLogs(key) {
  const prefix = `${LOG_PREFIX}${key}/`;
  let places = [];
  try { places = Object.keys(localStorage).filter((place) => place.startsWith(prefix)); } catch { return 0; }
  for (const place of places) {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(place)); } catch { /* not ours */ }
    if (!kept?.lines?.length) { localStorage.removeItem(place); continue; }
    const log = { ...kept, playerId: place.slice(prefix.length) };
    await logSender(log, { onAcknowledged: (left) => { if (!left.length) localStorage.removeItem(place); } }).flush();
  }
  return places.length;
}
