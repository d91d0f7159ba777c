// Search or do…: a field whose options come from the server. Arrows choose, Enter opens, with Ctrl in a new tab.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const field = document.getElementById("palette-field"), list = document.getElementById("palette-list");
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  const choose = (place) => {
    const all = options();
    const one = all.at(place % all.length);
    for (const each of all) each.ariaSelected = each === one;
    if (one) field.setAttribute("aria-activedescendant", one.id);
    else field.removeAttribute("aria-activedescendant");
    one?.scrollIntoView({ block: "nearest" });
  };
  new MutationObserver(() => choose(0)).observe(list, { childList: true });

  const open = () => {
    if (!dialog.open) dialog.showModal();
    field.select();
    htmx.trigger(field, "palette");
  };
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-palette]") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open();
    } else if (event.target === dialog || event.target.closest?.("#palette-list a")) dialog.close();
  });
  field.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) choose(options().indexOf(chosen()) + by);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) window.open(chosen()?.href, "_blank", "noopener");
    else if (event.key === "Enter") chosen()?.click();
    else return;
    event.preventDefault();
  });
  if (/Mac|iP(hone|ad)/.test(navigator.platform)) {
    for (const each of document.querySelectorAll("[data-palette] .o-kbd")) each.textContent = "⌘ K";
  }
})();
