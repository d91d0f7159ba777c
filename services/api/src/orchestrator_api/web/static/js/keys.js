// Single keys: never in a field, never with a modifier.
(() => {
  const rows = () => [...document.querySelectorAll("[data-live-key]")];
  const current = () => document.activeElement?.closest?.("[data-live-key]");

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const place = all.indexOf(current());
    const row = all[place < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, place + by))];
    (row.querySelector("a[href], button:not([disabled])") || row).focus();
  };

  // `g` and a letter behind it lead to a section.
  let leader = -Infinity;
  const led = (key) => {
    const link = performance.now() - leader < 1_500 && /^[a-z]$/.test(key) && document.querySelector(`[data-go="${key}"]`);
    leader = -Infinity;
    return link && (() => link.click());
  };

  const keys = {
    "/": () => document.querySelector("[data-filter]")?.focus(),
    j: () => step(1),
    k: () => step(-1),
    "?": () => document.getElementById("keys")?.showModal(),
    g: () => { leader = performance.now(); },
    r: () => (rows().length ? current() : document)?.querySelector("[data-run]")?.click(),
  };

  // What is cut is said in whole when pointed at.
  document.addEventListener("pointerover", (event) => {
    const cut = event.target.closest?.(".o-cut");
    if (cut && !cut.title && cut.scrollWidth > cut.clientWidth) cut.title = cut.textContent.trim();
  });

  // What a page has keys for of its own says so itself.
  const named = (key) => {
    if (!/^[a-z]$/.test(key)) return null;
    const found = [...document.querySelectorAll(`[aria-keyshortcuts="${key}"]:not(:disabled)`)];
    const first = found.find((each) => each.checkVisibility()) || found[0];
    return first && (() => first.click());
  };

  document.addEventListener("keydown", (event) => {
    if (document.documentElement.dataset.singleKeys === "off") return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable], dialog")) return;
    const act = led(event.key) || keys[event.key] || named(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
