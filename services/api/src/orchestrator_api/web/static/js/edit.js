// Ctrl Enter saves; what was typed is not lost by a closed tab.
(() => {
  const form = () => document.querySelector("[data-edit]");
  document.addEventListener("input", (event) => { event.target.closest?.("[data-edit]")?.setAttribute("data-typed", ""); });
  document.addEventListener("submit", () => { form()?.removeAttribute("data-typed"); }, true);
  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-leave]")) form()?.removeAttribute("data-typed"); });
  document.addEventListener("keydown", (event) => {
    const own = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.closest?.("[data-edit]");
    if (!own) return;
    event.preventDefault();
    own.requestSubmit(own.querySelector("[data-save]"));
  });
  window.addEventListener("beforeunload", (event) => { if (form()?.hasAttribute("data-typed")) event.preventDefault(); });
})();
