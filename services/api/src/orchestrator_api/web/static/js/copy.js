// A button that copies the text of a field, which also works where people reach the page without https.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  const field = button && document.getElementById(button.dataset.copies);
  if (!field) return;
  field.select();
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
    else document.execCommand("copy");
    button.lastChild.textContent = "Copied";
  } catch {
    button.lastChild.textContent = "Press Ctrl C";
  }
});
