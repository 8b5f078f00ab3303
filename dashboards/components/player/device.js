// What belongs to the device rather than to the sound: its loudness, its screen, its lock screen; and the picture.

// A slider where the browser lets us; a phone that keeps its own loudness has none. Gives whether it is ours.
function loudness(page, root, audio, on, write, startAt) {
  const slider = root.querySelector("#ip-player-loudness");
  const value = root.querySelector(".ip-loudness-value");
  audio.volume = 0.5;
  const isOurs = audio.volume === 0.5;
  audio.volume = startAt ?? 1;
  root.querySelector(".ip-loudness").hidden = !isOurs;
  const tell = () => {
    slider.value = Math.round(100 * audio.volume);
    slider.setAttribute("aria-valuetext", page.word("player.volume.value", { percent: slider.value }));
    value.textContent = audio.volume.toLocaleString(page.view.language, { style: "percent" });
  };
  let timer = 0;
  let wasMuted = audio.muted;
  let wasVolume = audio.volume;
  slider.addEventListener("input", () => { audio.volume = Number(slider.value) / 100; });
  on(audio, "volumechange", () => {
    tell();
    if (audio.muted !== wasMuted) { wasMuted = audio.muted; write(wasMuted ? "muted" : "unmuted", []); }
    if (audio.volume === wasVolume) return;
    const isSilence = (audio.volume === 0) !== (wasVolume === 0);
    wasVolume = audio.volume;
    clearTimeout(timer);
    // A dragged handle is one change, but for silence, which counts to the second.
    if (isSilence) write("volume", [wasVolume]);
    else timer = setTimeout(() => write("volume", [wasVolume]), 400);
  });
  tell();
  return isOurs;
}

function wakeLock(told) {
  let held = null;
  let wanted = false;
  return {
    async hold() {
      wanted = true;
      if (!navigator.wakeLock || held) return;
      try {
        const lock = await navigator.wakeLock.request("screen");
        held = lock;
        lock.addEventListener("release", () => { held = null; told("released"); });
        told("held");
        if (!wanted) lock.release();
      } catch (problem) { told(`refused:${problem.name}`); }
    },
    release() { wanted = false; held?.release(); },
  };
}

// The lock screen pauses and goes on; it does not seek.
function mediaSession(page, { start, pause: rest }) {
  const session = navigator.mediaSession;
  const set = (action, handle) => { try { session?.setActionHandler(action, handle); } catch { /* not known here */ } };
  const none = ["seekbackward", "seekforward", "seekto", "previoustrack", "nexttrack"];
  if (session && window.MediaMetadata) session.metadata = new MediaMetadata({ title: page.word("player.title"), artist: page.view.study_title });
  set("play", start);
  set("pause", rest);
  set("stop", rest);
  for (const action of none) set(action, () => {});
  return { end: () => { for (const action of ["play", "pause", "stop", ...none]) set(action, null); } };
}

function gentlePicture(page, root) {
  const picture = root.querySelector(".ip-visual");
  const button = root.querySelector(".ip-visual-switch");
  const show = (is) => {
    shared.hidesPicture = !is;
    picture.hidden = !is;
    button.textContent = page.word(is ? "player.visual.off" : "player.visual.on");
  };
  button.hidden = false;
  button.addEventListener("click", () => show(picture.hidden));
  // Nobody looks at two things at once: where a mark is to be moved, the picture waits to be asked for.
  show(!(shared.hidesPicture ?? Boolean(page.data.rating)));
}
