// The session's sound, whole and verified, or not at all. Kept for the page, so that a probe costs no second load.
const STALLED_AFTER_MS = 20_000;

class DamagedSound extends Error {}
class SoundNotDue extends Error {}

// Gives {blob, how}: `how` is "sha256", or "length" where the browser cannot hash.
async function loadSound({ sound_url, sha256 }, { onShare, onTrouble, isWanted, isAgain }) {
  shared.sounds ??= new Map();
  if (shared.sounds.has(sha256)) return shared.sounds.get(sha256);
  const { blob, size } = await fetchWhole(sound_url, sha256, { onShare, onTrouble, isWanted, isAgain });
  const how = await verify(blob, size, sha256);
  shared.sounds.clear();
  shared.sounds.set(sha256, { blob, how });
  return shared.sounds.get(sha256);
}

async function verify(blob, size, sha256) {
  if (!crypto.subtle) {
    if (blob.size !== size) throw new DamagedSound("length");
    return "length";
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  const found = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) throw new DamagedSound("sha256");
  return "sha256";
}

// Goes on from the byte where the network broke off, for as long as it takes.
async function fetchWhole(url, sha256, { onShare, onTrouble, isWanted, isAgain }) {
  let parts = [];
  let got = 0;
  let size = 0;
  let type = "";
  for (let wait = 500; ; wait = Math.min(LONGEST_WAIT_MS, wait * 1.7)) {
    const watch = new AbortController();
    let alarm = setTimeout(() => watch.abort(), STALLED_AFTER_MS);
    try {
      const response = await fetch(url, {
        credentials: "same-origin",
        // A damaged copy in the browser's own store must not be taken again.
        cache: isAgain ? "reload" : got ? "no-store" : "default",
        headers: got ? { range: `bytes=${got}-`, "if-range": `"${sha256}"` } : {},
        signal: watch.signal,
      });
      if ([401, 403, 404].includes(response.status)) throw new SoundNotDue(String(response.status));
      if (response.status === 416) { parts = []; got = 0; }
      if (!response.ok) throw new Error(`status ${response.status}`);
      if (response.status !== 206) { parts = []; got = 0; }
      size = got + Number(response.headers.get("content-length"));
      type = response.headers.get("content-type") ?? "";
      for (const reader = response.body.getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(alarm);
        alarm = setTimeout(() => watch.abort(), STALLED_AFTER_MS);
        parts.push(value);
        got += value.length;
        onShare(size ? got / size : 0);
      }
      if (got >= size) return { blob: new Blob(parts, { type }), size };
    } catch (problem) {
      if (problem instanceof SoundNotDue) throw problem;
    } finally {
      clearTimeout(alarm);
    }
    if (!isWanted()) throw new SoundNotDue("left");
    onTrouble();
    await waitForNetwork(wait);
  }
}
