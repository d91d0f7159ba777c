// Dialogs that the server sends open as modal ones, toasts that leave, and what an error moves the focus to.
(() => {
  const SHOWN = 8_000;
  const dialogs = document.getElementById("dialogs"), alerts = document.getElementById("alerts");

  // The button that was pressed is disabled, and so without focus, until the answer is there.
  let pressed = null, opener = null;
  document.addEventListener("submit", (event) => {
    if (event.target.closest("#again")) return;
    pressed = event.submitter;
    event.target.closest("dialog")?.removeAttribute("data-typed");
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link) pressed = link;
  }, true);

  // A dialog has an address: Back closes it, and the page below keeps its own (`page` of the state;
  // htmx replaces a state that is not marked as its own).
  const below = () => history.state?.page;
  const came = (dialog) => {
    const { address } = dialog.dataset;
    if (!address) return;
    const state = { htmx: true, page: below() ?? location.pathname + location.search + location.hash };
    if (below()) history.replaceState(state, "", address);
    else history.pushState(state, "", address);
  };
  let isClosing = false;
  const left = () => {
    if (below()) {
      isClosing = true;
      history.back();
    }
    if (opener.isConnected) opener.focus();
    opener = null;
  };
  const closes = () => { isClosing ||= Boolean(dialogs?.querySelector("dialog")); };
  window.addEventListener("popstate", closes, true);
  window.navigation?.addEventListener("navigate", (event) => {
    if (event.navigationType !== "traverse" || !event.canIntercept) return;
    closes();
    if (isClosing) event.intercept({ focusReset: "manual" }); // htmx intercepts, too, and would lose the focus
  });
  const closed = () => { isClosing = false; };
  for (const ends of ["navigatesuccess", "navigateerror"]) window.navigation?.addEventListener(ends, closed);
  document.addEventListener("htmx:before:history:restore", (event) => {
    if (isClosing || below()) event.preventDefault();
  });
  window.addEventListener("popstate", (event) => {
    if (!window.navigation) setTimeout(closed);
    if (isAlone) location.reload();
    else if (event.state?.page) htmx.ajax("GET", location.href, { target: document.body, swap: "none" });
    else dialogs?.querySelector("dialog")?.close();
  });
  const isAlone = Boolean(below()); // its address was loaded again, and so without the page below
  if (isAlone) history.replaceState(null, "");

  // The form is a page of its own: the answer takes its place there.
  const put = (dialog, page) => {
    page.replaceChildren(dialog.querySelector("form"));
    dialog.remove();
    page.querySelector("[data-focus], [aria-invalid=true]")?.focus();
  };

  const open = (dialog) => {
    const page = !opener && !dialog.dataset.address && document.querySelector(".o-dialog-page");
    if (page) return put(dialog, page);
    if (dialog.open) dialog.removeAttribute("open");
    opener ??= pressed || document.activeElement;
    came(dialog);
    dialog.showModal();
    dialog.querySelector("[data-focus], [aria-invalid=true]")?.focus();
    dialog.addEventListener("close", () => dialog.remove(), { once: true });
  };

  const leave = (toast) => {
    if (toast.dataset.leaves) return;
    toast.dataset.leaves = "yes";
    const go = () => toast.matches(":hover, :focus-within") ? setTimeout(go, 1_000) : toast.remove();
    setTimeout(go, SHOWN);
  };

  // What stands behind an open dialog would not be seen.
  const bring = () => {
    const place = document.querySelector("dialog:modal [data-alerts]");
    if (place && alerts.childElementCount) place.replaceChildren(...alerts.children);
  };

  const look = () => {
    document.querySelectorAll("dialog[data-open]:not(:modal)").forEach(open);
    document.querySelectorAll("[data-toast]").forEach(leave);
    bring();
    setTimeout(() => { if (opener && !dialogs.querySelector("dialog")) left(); }); // another may take its place
  };

  for (const id of ["dialogs", "toasts", "alerts"]) {
    const place = document.getElementById(id);
    if (place) new MutationObserver(look).observe(place, { childList: true });
  }
  // What was typed is not lost by a key or a closed tab.
  const typed = () => dialogs?.querySelector("dialog[data-typed]");
  dialogs?.addEventListener("input", (event) => {
    if (event.target.matches("[type=search]")) return;
    event.target.closest("dialog")?.setAttribute("data-typed", "");
  });
  let next = null; // where a link leads whose form was discarded
  const asks = (event, dialog, link = null) => {
    event.preventDefault();
    event.stopPropagation();
    next = link;
    const ask = dialog.querySelector("#dialog-keep");
    ask.hidden = false;
    ask.querySelector("[data-keep]").focus();
  };
  document.addEventListener("keydown", (event) => {
    const dialog = event.key === "Escape" && !event.target.closest?.("#again") && typed();
    if (dialog) asks(event, dialog);
  });
  // A link in the form that opens another one in its place.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("dialog[data-typed] a[hx-get]:not([hx-target], [data-leave], nav a)");
    if (link) asks(event, link.closest("dialog"), link);
  }, true);
  window.addEventListener("beforeunload", (event) => { if (typed()) event.preventDefault(); });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keep]")) event.target.closest("#dialog-keep").hidden = true;
    const button = event.target.closest?.("dialog [data-close], dialog [data-discard]");
    if (button) {
      event.preventDefault();
      const dialog = button.closest("dialog"), link = button.matches("[data-discard]") && next;
      dialog.removeAttribute("data-typed");
      link ? link.click() : dialog.close();
    }
    const copies = event.target.closest?.("[data-copies]");
    if (copies) {
      document.getElementById(copies.dataset.copies).select();
      copies.lastChild.textContent = document.execCommand("copy") ? "Copied" : "Press Ctrl C";
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
  // How many are ticked, and whether these are the usual ones.
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-counted]")) return;
    const boxes = [...target.form.querySelectorAll("[data-counted]")];
    const count = boxes.filter((each) => each.checked).length;
    const isOther = boxes.some((each) => each.checked !== Boolean(each.dataset.counted));
    target.form.querySelector("[data-count]").textContent = `${count} task${count === 1 ? "" : "s"}`;
    for (const each of target.form.querySelectorAll("[data-if]")) each.hidden = isOther !== (each.dataset.if === "other");
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
