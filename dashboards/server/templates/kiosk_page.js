// The start page of a tablet that people share: whatever an earlier page left here is removed once more.
const forget = () => {
  for (const storage of [localStorage, sessionStorage]) {
    try { storage.clear(); } catch { /* private browsing */ }
  }
  indexedDB.databases?.().then((all) => all.forEach((one) => indexedDB.deleteDatabase(one.name)), () => {});
  globalThis.caches?.keys().then((all) => all.forEach((name) => caches.delete(name)), () => {});
};
forget();
window.addEventListener("pageshow", forget);

const form = document.querySelector("form");
const code = document.querySelector("#code");
const said = document.querySelector("#said");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = code.value;
  // Not left in the field for the next person, nor for the browser's memory of forms.
  code.value = "";
  said.textContent = "";
  let status = 0;
  try {
    const reply = await fetch("/kiosk/begin", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code: typed }),
    });
    status = reply.status;
  } catch { /* no network */ }
  if (status === 200) location.replace("/");
  else said.textContent = status === 404 || status === 422 ? form.dataset.wrong : form.dataset.trouble;
  code.focus();
});
