const LOOK_EVERY_MS = 2000;

export default function (component) {
  return openPage(component, (page, step) => {
    const bar = step.querySelector("progress");
    const words = step.querySelector(".ip-state");
    const look = async () => {
      let reply = null;
      try { reply = await fetchJson("/api/me/rendering"); } catch { /* no network: look again */ }
      if (page.closed) return;
      page.say(reply === null || reply.status >= 500 ? "page.offline" : null);
      if (reply?.status === 401) page.advance();
      if (reply?.status === 200) show(reply.body);
    };
    const show = ({ state, share }) => {
      bar.value = Math.max(0.03, share ?? 0);
      const name = { waiting: "queued", working: "working", ready: "ready", failed: "failed" }[state] ?? "queued";
      const percent = Math.round(100 * (share ?? 0));
      const done = state === "working" && share > 0 ? ` ${page.word("waiting.share", { percent })}` : "";
      words.textContent = page.word(`waiting.${name}`) + done;
      bar.hidden = state === "failed";
      if (state === "ready") { clearInterval(timer); page.advance(); }
    };
    const timer = setInterval(look, LOOK_EVERY_MS);
    look();
    return { close: () => clearInterval(timer) };
  });
}
