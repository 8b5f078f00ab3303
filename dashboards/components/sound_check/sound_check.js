const INTERVALS = ["first", "second", "third"];

export default function (component) {
  return openPage(component, (page, step) => {
    const level = levelStage(page, step);
    const stages = [...step.querySelectorAll("section")];
    const show = (which, title) => {
      for (const stage of stages) stage.hidden = !stage.classList.contains(which);
      step.querySelector(".ip-stage-title").textContent = page.word(title);
      page.say(null);
      focusHeading(step);
    };
    const finish = (responses) => {
      level.stop();
      page.save({ volume: level.volume(), responses }, "sound_check.done");
    };
    const trials = page.data.test ? trialStage(page, step, level, finish) : null;
    const { attempt, attempts } = page.data;
    step.querySelector(".ip-stage-title").textContent = page.word(attempt > 1 ? "sound_check.retry.title" : "sound_check.title");
    step.querySelector(".ip-retry").hidden = attempt === 1;
    step.querySelector(".ip-retry").textContent = page.word("sound_check.retry.text", { attempt, attempts });
    step.querySelector(".ip-level-done").addEventListener("click", () => {
      if (!level.wasHeard()) { page.say("sound_check.level.unheard"); return; }
      level.stop();
      if (trials) { show("ip-test", "sound_check.test.title"); trials.begin(); }
      else finish([]);
    });
    return { close: () => { level.stop(); trials?.stop(); }, onLease: (lease) => { if (lease === "other") { level.stop(); trials?.stop(); } } };
  });
}

// The loudness is that of the player later. A phone may let only its own buttons set it: then it is not known.
function levelStage(page, step) {
  const sound = new Audio(page.data.level_url);
  sound.loop = true;
  sound.preload = "auto";
  const slider = step.querySelector("#ip-loudness");
  const play = step.querySelector(".ip-play-level");
  sound.volume = 0.5;
  const isSettable = sound.volume === 0.5;
  slider.closest(".ip-loudness").hidden = !isSettable;
  step.querySelector(".ip-device").hidden = isSettable;
  slider.value = Math.round(100 * (page.data.volume ?? 0.3));
  let heard = false;
  const set = () => {
    sound.volume = Number(slider.value) / 100;
    slider.setAttribute("aria-valuetext", page.word("sound_check.level.value", { percent: slider.value }));
  };
  const tell = () => {
    play.textContent = page.word(sound.paused ? "sound_check.level.play" : "sound_check.level.pause");
    play.setAttribute("aria-pressed", String(!sound.paused));
  };
  slider.addEventListener("input", set);
  play.addEventListener("click", async () => {
    if (!sound.paused) { sound.pause(); return; }
    try { await sound.play(); heard = true; page.say(null); } catch { page.say("sound_check.unheard_file"); sound.load(); }
  });
  for (const event of ["play", "pause"]) sound.addEventListener(event, tell);
  set();
  tell();
  const volume = () => (isSettable ? Math.round(sound.volume * 100) / 100 : null);
  return { volume, wasHeard: () => heard, stop: () => sound.pause() };
}

function trialStage(page, step, level, finish) {
  const { test, sounds, trials } = page.data;
  const form = step.querySelector(".ip-test form");
  const play = step.querySelector(".ip-play-trial");
  const playing = step.querySelector(".ip-playing");
  const responses = [];
  let sound = null;
  let heard = false;
  let group = null;
  step.querySelector(".ip-test-text").textContent = page.word(`sound_check.${test}.text`);

  const stop = () => sound?.pause();
  const next = () => {
    stop();
    heard = false;
    sound = new Audio(sounds[responses.length]);
    sound.preload = "auto";
    sound.addEventListener("ended", () => { heard = true; playing.textContent = ""; });
    sound.addEventListener("pause", () => { playing.textContent = ""; });
    step.querySelector(".ip-trial").textContent = page.word("sound_check.trial", { trial: responses.length + 1, trials });
    play.textContent = page.word("sound_check.play");
    group = radioGroup({
      legend: page.word(`sound_check.${test}.question`),
      options: INTERVALS.map((name, i) => ({ value: String(i + 1), words: page.word(`sound_check.${test}.${name}`) })),
    });
    step.querySelector(".ip-intervals").replaceChildren(group.field);
  };
  play.addEventListener("click", async () => {
    sound.currentTime = 0;
    sound.volume = level.volume() ?? 1;
    try {
      await sound.play();
      page.say(null);
      playing.textContent = page.word("sound_check.playing");
      play.textContent = page.word("sound_check.again");
    } catch { page.say("sound_check.unheard_file"); sound.load(); }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (page.saving) return;
    if (!heard) { page.say("sound_check.unheard"); play.focus(); return; }
    if (group.chosen() === null) { page.say("page.missing.required", { items: page.word(`sound_check.${test}.question`) }); group.focus(); return; }
    page.say(null);
    responses[responses.length] = Number(group.chosen());
    if (responses.length < trials) { next(); play.focus(); }
    else finish([...responses]);
  });
  return { begin: next, stop };
}
