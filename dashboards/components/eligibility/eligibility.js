export default function (component) {
  return openPage(component, (page, step) => {
    const asked = page.data.questions.map(({ id, text }) => {
      const group = radioGroup({
        legend: text,
        options: ["yes", "no"].map((value) => ({ value, words: page.word(`eligibility.${value}`) })),
      });
      group.field.classList.add("ip-card");
      step.querySelector(".ip-questions").append(group.field);
      return { id, text, group };
    });
    step.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const missing = asked.filter(({ group }) => group.chosen() === null)
        .map(({ text, group }) => ({ words: text, focus: group.focus, isRequired: true }));
      if (!(await mayLeaveOut(page, missing))) return;
      page.save({ answers: Object.fromEntries(asked.map(({ id, group }) => [id, group.chosen() === "yes"])) });
    });
  });
}
