export default function (component) {
  return openPage(component, (page, step) => {
    const { html, text_sha256, version } = page.data;
    showHtml(step, html);
    step.querySelector(".ip-version").textContent = page.word("consent.version", { version });
    const answer = (agreed) => page.save({ agreed, language: page.view.language, text_sha256 });
    step.querySelector(".ip-agree").addEventListener("click", () => answer(true));
    step.querySelector(".ip-decline").addEventListener("click", () => answer(false));
  });
}
