// The session has ended: the server answers with a dialog in #again, over whatever is open. Once the same person has
// signed in, there or in another tab, the page's forms get the new session's token and can be sent again.
(() => {
  const place = document.getElementById("again");
  if (!place) return;
  const ask = () => htmx.ajax("GET", place.dataset.src, { source: place, target: place, swap: "none" });

  new MutationObserver(() => {
    const email = place.querySelector("[data-person-email]");
    if (email && !email.value) email.value = place.dataset.email;
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
