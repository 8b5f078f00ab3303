export default function (component) {
  return openPage(component, (page, step) => {
    const opens = new Date(page.data.opens_at);
    const time = step.querySelector("time");
    time.dateTime = page.data.opens_at;
    time.textContent = new Intl.DateTimeFormat(page.view.language, { dateStyle: "full", timeStyle: "short" }).format(opens);
    // A timer of more than 24 days overflows; the page is looked at every 15 s anyway.
    const wait = Math.min(opens - Date.now(), 86_400_000);
    const timer = setTimeout(() => page.advance(), Math.max(wait, 1000));
    return { close: () => clearTimeout(timer) };
  });
}
