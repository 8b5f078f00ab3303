export default function (component) {
  return openPage(component, (page, step) => {
    step.querySelector(".ip-button").addEventListener("click", () => page.advance());
  });
}
