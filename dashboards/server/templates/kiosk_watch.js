// Beside a person's pages on a tablet that people share: when they have gone, everything of theirs goes too.
(() => {
  const QUIET_MS = 600_000;
  const AFTER_END_MS = 60_000;
  const LISTENING_MS = 30_000;
  const ASK_EVERY_MS = 5_000;
  const now = () => performance.now();
  let touched = now();
  let heard = -Infinity;
  let ended = null;
  let leaving = false;

  for (const sign of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "input"]) {
    addEventListener(sign, () => { touched = now(); }, { capture: true, passive: true });
  }
  // The player's log is posted while music plays: somebody listens, with hands in the lap.
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (new URL(entry.name).pathname === "/api/me/playback") heard = now();
    }
  }).observe({ type: "resource" });

  async function leave() {
    if (leaving) return;
    leaving = true;
    try {
      const reply = await fetch("/api/me/leave", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      if (!reply.ok) throw new Error(String(reply.status));
    } catch {
      // Not without the server: what it has not got yet is kept here alone.
      leaving = false;
      return;
    }
    // The start page removes what is left here.
    location.replace("/kiosk");
  }

  async function look() {
    try {
      const reply = await fetch("/kiosk/state", { cache: "no-store" });
      const { state } = await reply.json();
      if (state === "nobody") { location.replace("/kiosk"); return; }
      ended = state === "finished" ? (ended ?? now()) : null;
    } catch { return; }
    const quiet = now() - Math.max(touched, heard);
    const done = ended !== null && now() - Math.max(ended, touched) > AFTER_END_MS;
    if (done || (quiet > QUIET_MS && now() - heard > LISTENING_MS)) await leave();
  }

  setInterval(look, ASK_EVERY_MS);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
