// The Affective Slider (Betella & Verschure 2016) and the visual analogue scale: one line an item.
const SLIDER_STEPS = 200;

function affectiveSliders(page, place, items) {
  const parts = items.map((item) => {
    const start = (item.low + item.high) / 2;
    const line = sliderLine(page, item, { start, step: (item.high - item.low) / SLIDER_STEPS, how: "instrument.slider.how" });
    line.note.textContent = page.word("instrument.unmoved");
    line.before.prepend(face(item.id, "low"));
    line.after.append(face(item.id, "high"));
    place.append(line.field);
    return { ...line, id: item.id, words: item.short, startsInTheMiddle: true, value: () => ({ [item.id]: line.number() }) };
  });
  return { parts };
}

function visualAnalogue(page, place, items) {
  const parts = items.map((item) => {
    const line = sliderLine(page, item, { start: (item.low + item.high) / 2, step: 1, how: "instrument.vas.how" });
    line.field.classList.add("ip-line--vas");
    line.note.textContent = page.word("instrument.unmarked");
    place.append(line.field);
    const value = () => (line.isTouched() ? { [item.id]: line.number() } : null);
    return { ...line, id: item.id, words: item.short, startsInTheMiddle: false, value };
  });
  return { parts };
}

function sliderLine(page, item, { start, step, how }) {
  const ids = { label: freshId(), note: freshId(), how: freshId() };
  const input = element("input", {
    type: "range",
    class: "ip-range",
    min: item.low,
    max: item.high,
    step,
    value: start,
    "aria-labelledby": ids.label,
    "aria-describedby": `${ids.note} ${ids.how}`,
  });
  let touched = false;
  const note = element("p", { class: "ip-note", id: ids.note });
  const before = element("span", { class: "ip-end ip-end--low" }, item.low_words);
  const after = element("span", { class: "ip-end ip-end--high" }, item.high_words);
  const field = element("div", { class: "ip-field ip-card ip-line", "data-touched": "false" },
    element("h2", { class: "ip-line-label", id: ids.label }, item.label),
    element("div", { class: "ip-track" }, input),
    element("div", { class: "ip-ends", "aria-hidden": "true" }, before, after),
    note,
    element("span", { class: "ip-hidden-words", id: ids.how }, page.word(how)));
  const tell = () => {
    const percent = Math.round((100 * (Number(input.value) - item.low)) / (item.high - item.low));
    const where = page.word("instrument.slider.value", { percent, low: item.low_words, high: item.high_words });
    input.setAttribute("aria-valuetext", touched ? where : `${note.textContent} – ${where}`);
  };
  const touch = () => {
    if (!touched) { touched = true; field.dataset.touched = "true"; note.textContent = ""; }
    tell();
  };
  // A press on the middle itself, or a key that says "here", moves nothing and is still an answer.
  // A finger that only scrolls the page past the line is taken away from it, and is none.
  input.addEventListener("pointerup", touch);
  input.addEventListener("input", touch);
  input.addEventListener("keydown", (event) => {
    if (["Enter", " "].includes(event.key)) { event.preventDefault(); touch(); }
  });
  queueMicrotask(tell);
  // A range's own arithmetic leaves 0.30000000000000004: the step's decimals are what was meant.
  const number = () => Math.round(Number(input.value) * 1e6) / 1e6;
  return { field, note, before, after, number, isTouched: () => touched, focus: () => input.focus() };
}

// Our own drawings: a face for each end.
function face(item, end) {
  const parts = {
    "valence/low": [eyes(15, 2.2), curve("M14 36 Q24 27 34 36"), curve("M11 15 L18 11.5"), curve("M37 15 L30 11.5")],
    "valence/high": [eyes(15, 2.2), curve("M13 29 Q24 41 35 29")],
    "arousal/low": [curve("M12 20 Q16 23.5 20 20"), curve("M28 20 Q32 23.5 36 20"), curve("M19 34 L29 34")],
    "arousal/high": [wideEyes(), curve("M19 34 L29 34")],
  }[`${item}/${end}`] ?? [];
  return element("svg:svg", { class: "ip-face", viewBox: "0 0 48 48", "aria-hidden": "true", focusable: "false" },
    circle(24, 24, 22, false), ...parts.flat());
}

const eyes = (y, r) => [circle(16, y + 4, r, true), circle(32, y + 4, r, true)];
const wideEyes = () => [circle(16, 19, 5, false), circle(32, 19, 5, false), circle(16, 19, 1.8, true), circle(32, 19, 1.8, true)];

function circle(cx, cy, r, isFilled) {
  return element("svg:circle", { cx, cy, r, class: isFilled ? "ip-drawn ip-drawn--filled" : "ip-drawn" });
}

function curve(d) {
  return element("svg:path", { d, class: "ip-drawn" });
}
