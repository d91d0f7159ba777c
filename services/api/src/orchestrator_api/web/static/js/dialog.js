// Dialogs that the server sends open as modal ones, toasts that leave, and what an error moves the focus to.
(() => {
  const SHOWN = 8_000;

  // The button that was pressed is disabled, and so without focus, until the answer is there.
  let pressed = null;
  document.addEventListener("submit", (event) => { pressed = event.submitter; }, true);

  const open = (dialog) => {
    if (dialog.open) dialog.removeAttribute("open");
    const before = pressed || document.activeElement;
    dialog.showModal();
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before?.isConnected) before.focus();
    }, { once: true });
  };

  const leave = (toast) => {
    if (toast.dataset.leaves) return;
    toast.dataset.leaves = "yes";
    const go = () => toast.matches(":hover, :focus-within") ? setTimeout(go, 1_000) : toast.remove();
    setTimeout(go, SHOWN);
  };

  const look = () => {
    document.querySelectorAll("dialog[data-open]:not(:modal)").forEach(open);
    document.querySelectorAll("[data-toast]").forEach(leave);
  };

  for (const id of ["dialogs", "again", "toasts"]) {
    const place = document.getElementById(id);
    if (place) new MutationObserver(look).observe(place, { childList: true });
  }
  document.addEventListener("click", (event) => {
    const closes = event.target.closest?.("dialog [data-close]");
    if (closes) {
      event.preventDefault();
      closes.closest("dialog").close();
    }
    const opens = event.target.closest?.("[data-opens]");
    const dialog = opens && document.getElementById(opens.dataset.opens);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }
  });
  document.addEventListener("input", (event) => {
    const folder = event.target.dataset?.filters && document.getElementById(event.target.dataset.filters);
    if (!folder) return;
    const text = event.target.value.trim().toLowerCase();
    for (const each of folder.querySelectorAll("[data-filtered]")) each.hidden = !each.dataset.filtered.includes(text);
  });
  // The URL holds no parameter that says nothing.
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    if (request.method !== "GET" || !(request.body instanceof FormData || request.body instanceof URLSearchParams)) return;
    for (const [name, value] of [...request.body]) if (value === "") request.body.delete(name);
  });
  look();
  document.querySelector("[data-focus]")?.focus();
})();
