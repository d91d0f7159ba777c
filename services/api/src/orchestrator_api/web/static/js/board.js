// The board of tasks: dragging, keys, menus and focus. Each sends one operation as `#change` does; a dropped card goes
// back until the answer is there.
(() => {
  const byId = (id) => document.getElementById(id);
  const editor = () => byId("editor");
  let isBusy = false, focused = "";

  const send = (values) => {
    if (isBusy) return;
    for (const [name, value] of Object.entries(values)) {
      const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
      field.dataset.sent = "";
      byId("change").append(field);
    }
    byId("change").requestSubmit();
  };

  // One request at a time.
  const isOurs = (element) => Boolean(element?.closest?.("#editor"));
  document.addEventListener("submit", (event) => {
    if (!isOurs(event.target)) return;
    if (isBusy) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    document.querySelector("#editor :popover-open")?.hidePopover();
    focused = document.activeElement?.id;
  }, true);
  document.addEventListener("htmx:before:request", (event) => {
    if (isOurs(event.target) && event.detail.ctx.request.method === "POST") isBusy = true;
  });
  document.addEventListener("htmx:finally:request", () => {
    isBusy = false;
    document.querySelectorAll("[data-sent]").forEach((each) => each.remove());
  });

  // The focus goes where the server says, or stays.
  const canHave = (element) => element && !element.disabled && element.checkVisibility();
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    const said = byId("said");
    if (!said) return;
    document.title = said.dataset.title;
    if (isBusy && detail.ctx.response.status < 400) byId("change")?.reset();
    sortable();
    const wanted = said.dataset.focus || focused;
    if (!wanted || document.querySelector("dialog[open]")) return;
    focused = "";
    delete said.dataset.focus;
    const element = [wanted, "undo", "redo", "add"].map(byId).find(canHave);
    if (element && element !== document.activeElement) element.focus();
  });

  const drag = (list, options) => {
    if (list.isSortable) return;
    list.isSortable = true;
    let from = null;
    new Sortable(list, {
      handle: ".o-grip", ghostClass: "o-ghost",
      onStart: ({ item }) => { from = [item.parentNode, item.nextSibling]; },
      onEnd: (event) => {
        from[0].insertBefore(event.item, from[1]);
        if (event.from !== event.to || event.oldDraggableIndex !== event.newDraggableIndex) send(options.dropped(event));
      },
      ...options,
    });
  };
  const sortable = () => {
    if (!editor() || editor().hasAttribute("data-fixed")) return;
    for (const list of document.querySelectorAll("[data-tasks]")) drag(list, {
      group: "tasks", draggable: "[data-task]",
      dropped: ({ item, to, newDraggableIndex: at }) => ({ move: item.dataset.task, to: to.dataset.tasks, at }),
    });
    const phases = byId("board");
    if (phases) drag(phases, {
      draggable: "[data-phase]",
      dropped: ({ item, newDraggableIndex: to }) => ({ move_phase: item.dataset.phase, to }),
    });
  };

  // One menu for all tasks, one for all phases.
  const meant = (name, value) => {
    const menu = byId(`${name}-menu`);
    menu.dataset.of = value;
    menu.querySelectorAll("button").forEach((button) => { button.value = value; });
    menu.querySelectorAll("a").forEach((link) => { link.search = new URLSearchParams({ [name]: value }); });
    const count = document.querySelectorAll("[data-phase]").length;
    for (const [entry, last] of [["phase_up", 0], ["phase_down", count - 1], ["merge_next", count - 1]]) {
      const button = menu.querySelector(`[name=${entry}]`);
      if (button) button.disabled = Number(value) === last;
    }
    return menu;
  };
  let shut = null; // by a press on its own button
  const show = (menu, source) => {
    if (menu === shut) return;
    menu.showPopover({ source });
    menu.querySelector("a, button:not([disabled])").focus();
  };
  document.addEventListener("pointerdown", ({ target }) => {
    const menu = document.querySelector("#editor :popover-open");
    shut = menu && target.closest?.("[form=menu]")?.value === menu.dataset.of ? menu : null;
  }, true);
  document.addEventListener("click", (event) => {
    const more = event.target.closest?.("[form=menu]"), link = event.target.closest?.("[data-dialog]");
    const grip = event.target.closest?.("#editor .o-grip");
    if (more) {
      event.preventDefault();
      show(meant(more.name, more.value), more);
    } else if (link) {
      event.preventDefault();
      document.querySelector("#editor :popover-open")?.hidePopover();
      htmx.ajax("GET", link.href, { target: document.body, swap: "none" });
    } else if (grip) {
      const { task } = grip.closest("[data-task]")?.dataset ?? {};
      if (task) meant("task", task).querySelector("a").click();
      else show(meant("phase", grip.closest("[data-phase]").dataset.phase), grip);
    }
  });

  const ARROWS = { ArrowUp: "up", ArrowDown: "down" };
  const asked = (event, grip) => {
    const { task } = grip.closest("[data-task]")?.dataset ?? {}, { phase } = grip.closest("[data-phase]").dataset;
    const arrow = event.altKey && !event.ctrlKey && !event.metaKey && ARROWS[event.key];
    if (arrow) return task ? { [event.shiftKey ? `new_${arrow}` : arrow]: task } : { [`phase_${arrow}`]: phase };
    if (event.key === "Delete") return task ? { remove: task } : { remove_phase: phase };
    return null;
  };
  const SHORTCUTS = { z: "undo", "Shift+z": "redo", s: "save" };
  const typing = "textarea, input:not([type=checkbox])";
  document.addEventListener("keydown", (event) => {
    if (!editor() || document.querySelector("dialog[open]")) return;
    const { target } = event, menu = target.closest?.(".o-pop-menu");
    if ((event.ctrlKey || event.metaKey) && !event.altKey) {
      const name = SHORTCUTS[(event.shiftKey ? "Shift+" : "") + event.key.toLowerCase()];
      if (!name || (name !== "save" && target.matches(typing))) return;
      event.preventDefault();
      byId(name)?.click();
    } else if (menu && ARROWS[event.key]) {
      event.preventDefault();
      const entries = [...menu.querySelectorAll("a, button:not([disabled])")];
      entries.at((entries.indexOf(target) + (event.key === "ArrowUp" ? -1 : 1)) % entries.length).focus();
    } else if (event.key === "Escape" && target.closest?.("details[data-rename]")) {
      const details = target.closest("details");
      details.open = false;
      details.querySelector("summary").focus();
    } else if (target.closest?.("#editor .o-grip")) {
      const values = asked(event, target.closest(".o-grip"));
      if (!values) return;
      event.preventDefault();
      send(values);
    }
  });
  document.addEventListener("toggle", ({ target }) => {
    if (target.matches?.("details[data-rename][open]")) target.querySelector("input[name=name]").select();
  }, true);

  sortable();
})();
