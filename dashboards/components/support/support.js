export default function (component) {
  return openPage(component, (page, step) => {
    const { cause, html, may_go_on, ends } = page.data;
    step.querySelector(".ip-support-title").textContent = page.word(`support.title.${cause}`);
    showHtml(step, html);
    const feeling = radioGroup({
      legend: page.word("support.feeling"),
      isList: true,
      options: ["better", "same", "worse"].map((value) => ({ value, words: page.word(`support.${value}`) })),
    });
    step.querySelector(".ip-feeling").append(feeling.field);
    const on = step.querySelector(".ip-on");
    const end = step.querySelector(".ip-end");
    on.dataset.words = `support.go_on.${ends}`;
    end.dataset.words = may_go_on ? `support.stop.${ends}` : "support.continue";
    on.hidden = !may_go_on;
    step.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      page.save({
        feeling: feeling.chosen(),
        wants_staff: step.querySelector("input[name=staff]").checked,
        goes_on: event.submitter === on,
      });
    });
  });
}
