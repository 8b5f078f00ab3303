export default function (component) {
  return openPage(component, (page, step) => {
    const { said_as, html, contacts_html } = page.data;
    step.querySelector(".ip-said").textContent = page.word(`finished.title.${said_as}`);
    step.querySelector(".ip-text-said").textContent = page.word(`finished.text.${said_as}`);
    showHtml(step, html);
    step.querySelector(".ip-contacts-html").innerHTML = contacts_html;
    step.querySelector(".ip-contacts").hidden = !contacts_html;
    step.querySelector(".ip-leave").addEventListener("click", async () => {
      const reply = await post("/api/me/leave", { tab_id: tabId() }, { onTrouble: () => page.say("page.offline") });
      // A player's log that never arrived leaves with its person.
      try { for (const place of Object.keys(localStorage)) if (place.startsWith("isopath-log/")) localStorage.removeItem(place); } catch { /* none is kept */ }
      location.assign(reply.body.to ?? "/");
    });
  });
}
