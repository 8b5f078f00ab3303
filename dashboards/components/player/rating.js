// A rating given while the music plays: read once a second by the player. Valence and arousal in [-1, 1].
// A finger uses the square, keys and screen readers the two lines below it; both show the same.
const GRID_STEP = 0.25;
const LINE_STEP = 0.05;

function continuousRating(page, place, { instrument_kind, perspective, question }) {
  const isGrid = instrument_kind === "affect_grid";
  const step = isGrid ? GRID_STEP : LINE_STEP;
  const now = { valence: 0, arousal: 0 };
  let touched = false;
  const snapped = (value) => Math.round(Math.min(1, Math.max(-1, Math.round(value / step) * step)) * 100) / 100;

  const mark = element("span", { class: "ip-pad-mark" });
  const pad = element("div", { class: "ip-pad", "data-touched": "false" }, mark);
  const lines = Object.fromEntries(["valence", "arousal"].map((axis) => {
    const words = (end) => page.word(`item.${perspective}.${axis}.${end}`);
    const input = element("input", { type: "range", class: "ip-range", id: freshId(), min: -1, max: 1, step, value: 0 });
    input.addEventListener("input", () => set({ [axis]: Number(input.value) }));
    const row = element("div", {},
      element("label", { for: input.id }, page.word(`item.${perspective}.${axis}`)),
      input,
      element("div", { class: "ip-rating-ends", "aria-hidden": "true" }, element("span", {}, words("low")), element("span", {}, words("high"))));
    const tell = () => input.setAttribute("aria-valuetext", page.word("instrument.slider.value", {
      percent: Math.round(50 * (now[axis] + 1)), low: words("low"), high: words("high"),
    }));
    return [axis, { input, row, tell }];
  }));

  function show() {
    mark.style.insetInlineStart = `${50 * (now.valence + 1)}%`;
    mark.style.insetBlockEnd = `${50 * (now.arousal + 1)}%`;
    if (page.view.direction === "rtl") mark.style.transform = "translate(50%, 50%)";
    for (const [axis, { input, tell }] of Object.entries(lines)) { input.value = now[axis]; tell(); }
  }
  function set(given) {
    for (const [axis, value] of Object.entries(given)) now[axis] = snapped(value);
    touched = true;
    pad.dataset.touched = "true";
    show();
  }
  const pick = (event) => {
    const box = pad.getBoundingClientRect();
    const across = (2 * (event.clientX - box.left)) / box.width - 1;
    set({
      valence: page.view.direction === "rtl" ? -across : across,
      arousal: 1 - (2 * (event.clientY - box.top)) / box.height,
    });
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); pick(event); event.preventDefault(); });
  pad.addEventListener("pointermove", (event) => { if (pad.hasPointerCapture(event.pointerId)) pick(event); });

  const end = (axis, which) => element("span", {}, page.word(`item.${perspective}.${axis}.${which}`));
  const frame = element("div", { class: "ip-pad-frame", "aria-hidden": "true" },
    end("arousal", "high"),
    pad,
    end("arousal", "low"),
    element("div", { class: "ip-pad-sides" }, end("valence", "low"), end("valence", "high")));
  place.append(element("h2", {}, question), ...(isGrid ? [frame] : []), lines.valence.row, lines.arousal.row);
  place.hidden = false;
  show();
  // Nothing is told for somebody who has not touched it.
  return { value: () => (touched ? [now.valence, now.arousal] : null) };
}
