export default function (component) {
  return openPage(component, (page, step) => {
    const { items, may_skip } = page.data;
    const asked = items.map((item) => {
      const part = questionPart(page, item);
      part.field.classList.add("ip-card");
      step.querySelector(".ip-questions").append(part.field);
      return { item, part };
    });
    const order = items.map(({ id }) => id);
    step.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const missing = asked.filter(({ part }) => part.value() === null)
        .map(({ item, part }) => ({ words: part.words(), focus: part.focus, isRequired: item.is_required }));
      if (!(await mayLeaveOut(page, missing))) return;
      const given = asked.filter(({ part }) => part.value() !== null);
      if (!given.length) page.save({ skipped: true });
      else page.save({ answers: Object.fromEntries(given.map(({ item, part }) => [item.id, part.value()])), item_order: order });
    });
    const skip = step.querySelector(".ip-skip");
    skip.hidden = !may_skip;
    skip.addEventListener("click", () => page.save({ skipped: true }));
  });
}

function questionPart(page, item) {
  const legend = element("span");
  legend.innerHTML = item.html;
  const optional = item.is_required ? null : element("span", { class: "ip-optional" }, `(${page.word("page.optional")})`);
  const whole = element("span", {}, legend, optional);
  const words = () => legend.textContent.trim();
  if (item.kind === "text") {
    const id = freshId();
    const area = element("textarea", { id, class: "ip-text", maxlength: 5000, dir: "auto", placeholder: page.word("questionnaire.free") });
    const field = element("div", { class: "ip-field" }, element("label", { class: "ip-label", for: id }, whole), area);
    return { field, words, value: () => area.value.trim() || null, focus: () => area.focus() };
  }
  if (item.kind === "choice") {
    const options = item.options.map(({ id, label }) => ({ value: id, words: label }));
    const group = radioGroup({ legend: whole, options, isList: true });
    return { field: group.field, words, value: group.chosen, focus: group.focus };
  }
  const group = scaleGroup(page, { ...item, low: 1, legend: whole });
  return { field: group.field, words, value: group.number, focus: group.focus };
}
