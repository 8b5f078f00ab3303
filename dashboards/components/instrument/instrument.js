// Each maker gives {field, value(), isTouched(), words, focus()} of one item, or of two for a grid.
export default function (component) {
  return openPage(component, (page, step) => {
    const { instrument_kind, perspective, question, items, may_skip } = page.data;
    step.querySelector(".ip-instrument-title").textContent = question;
    step.querySelector(".ip-hint").textContent = page.word(`instrument.hint.${perspective}`);
    const make = { affective_slider: affectiveSliders, affect_grid: affectGrid, vas: visualAnalogue }[instrument_kind] ?? pointScales;
    const made = make(page, step.querySelector(".ip-items"), items);
    step.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await collect(page, made, items, may_skip);
      if (answer) page.save(answer);
    });
    const skip = step.querySelector(".ip-skip");
    skip.hidden = !may_skip;
    skip.addEventListener("click", () => page.save({ skipped: true }));
  });
}

async function collect(page, made, items, maySkip) {
  const untouched = made.parts.filter((part) => part.startsInTheMiddle && !part.isTouched());
  if (untouched.length) {
    const named = untouched.map((part) => part.words).join(" · ");
    const chosen = await page.ask(page.word("instrument.untouched", { items: named }), [
      { value: "back", words: page.word("instrument.untouched.back") },
      { value: "leave", words: page.word("instrument.untouched.leave") },
    ]);
    if (chosen !== "leave") { untouched[0].focus(); return null; }
  }
  const missing = made.parts.filter((part) => part.value() === null)
    .map((part) => ({ words: part.words, focus: part.focus, isRequired: !maySkip }));
  if (!(await mayLeaveOut(page, missing))) return null;
  const given = made.parts.filter((part) => part.value() !== null);
  if (!given.length) return { skipped: true };
  return {
    responses: Object.assign({}, ...given.map((part) => part.value())),
    untouched: untouched.map((part) => part.id),
    item_order: items.map(({ id }) => id),
    question: page.data.question,
  };
}
