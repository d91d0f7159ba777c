// The session has ended: the server answers with a dialog in #again, over whatever is open. Once the same person has
// signed in, there or in another tab, the page's forms get the new session's token and can be sent again.
(() => {
  const place = document.getElementById("again");
  if (!place) return;
  const ask = () => htmx.ajax("GET", place.dataset.src, { source: place, target: place, swap: "none" });

  let before = null; // not the active element: a button that was pressed is disabled by now
  document.addEventListener("focusin", ({ target }) => { if (!place.contains(target)) before = target; });

  new MutationObserver(() => {
    const dialog = place.querySelector("dialog:not([open])");
    if (!dialog) return;
    const email = dialog.querySelector("[data-person-email]");
    if (email) email.value = place.dataset.email;
    document.querySelector("#dialogs dialog:has(textarea, select, input:not([type=hidden]))")?.setAttribute("data-typed", "");
    dialog.addEventListener("close", () => {
      place.replaceChildren();
      before?.focus();
    });
    dialog.showModal();
  }).observe(place, { childList: true });

  place.addEventListener("session:check", ask);
  place.addEventListener("session:again", ({ detail }) => {
    if (detail.person !== place.dataset.person) return location.reload();
    for (const field of document.querySelectorAll("input[name=csrf]")) field.value = detail.csrf;
    place.querySelector("dialog")?.close();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && place.querySelector("dialog")) ask();
  });
})();
