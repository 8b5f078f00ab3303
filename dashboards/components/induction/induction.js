export default function (component) {
  return openPage(component, (page, step) => {
    showHtml(step, page.data.html);
    step.querySelector(".ip-button").addEventListener("click", () => page.save({}));
  });
}
