export default function (component) {
  return openPage(component, (page, step) => {
    const { html, arm_label } = page.data;
    showHtml(step, html);
    step.querySelector(".ip-arm").hidden = !arm_label;
    step.querySelector(".ip-arm strong").textContent = arm_label ?? "";
    step.querySelector(".ip-button").addEventListener("click", () => page.save({}));
  });
}
