// A log: fetches the blocks that the page has left out one after the other, follows what is written, and keeps the
// line that is looked at in the address. Nothing here moves the page but what a person asks for.
(() => {
  const BLOCK = 1000, SOON = 1_000, LATE = 5_000, AGAIN = 3_000, END = 24;
  const sleep = (time) => new Promise((done) => setTimeout(done, time));
  const number = (line) => Number(line.id.slice(1));
  const byId = (id) => document.getElementById(id);

  // A block that comes into view has its height only in the frame after.
  const settled = (go) => {
    go();
    requestAnimationFrame(() => {
      go();
      requestAnimationFrame(go);
    });
  };

  const start = () => {
    const log = byId("lines");
    if (!log || log.started) return;
    log.started = true;
    const follow = byId("log-follow"), news = byId("log-new"), hit = byId("hit"), wrap = byId("log-wrap");
    const is = (name) => name in log.dataset;
    let follows = is("tail") && !is("finished"), fresh = 0, before = 0;

    const fetched = async (from) => {
      const url = new URL(log.dataset.log, location.href);
      url.searchParams.set("from", from);
      while (log.isConnected) {
        const answer = await fetch(url, { headers: { "hx-request": "true" } }).catch(() => null);
        if (answer?.ok) {
          const made = document.createElement("template");
          made.innerHTML = await answer.text();
          return made.content.firstElementChild;
        }
        if (answer && answer.status !== 429 && answer.status !== 503) return null;
        await sleep(AGAIN);
      }
    };

    // ---- what the page has left out
    const fill = async (block) => {
      const got = await fetched(block.dataset.first);
      if (got && block.parentNode) block.replaceWith(got);
      else block.dataset.failed = "";
    };
    const nearest = () => {
      const middle = log.getBoundingClientRect().top + log.clientHeight / 2;
      let found = null, least = Infinity;
      for (const block of log.querySelectorAll("[data-empty]:not([data-failed])")) {
        const box = block.getBoundingClientRect();
        const away = Math.max(box.top - middle, middle - box.bottom);
        if (away < least) [found, least] = [block, away];
      }
      return found;
    };
    const fillAll = async () => {
      for (let block; log.isConnected && (block = nearest());) await fill(block);
      log.dataset.whole = "";
    };

    // ---- the line that is looked at
    const say = (values, line) => {
      const url = new URL(location);
      for (const [name, value] of Object.entries(values)) value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
      if (line) url.hash = `L${line}`;
      history.replaceState(history.state, "", url);
    };
    const middle = (line) => settled(() => {
      log.scrollTop += line.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 2;
    });
    const mark = (line) => {
      log.querySelectorAll("[data-marked]").forEach((each) => each.removeAttribute("data-marked"));
      line.dataset.marked = "";
    };
    const show = async (at) => {
      if (!byId(`L${at}`)) {
        const block = [...log.children].find((each) => each.dataset.first <= at && at <= each.dataset.last);
        if (block) await fill(block);
      }
      const line = byId(`L${at}`);
      if (!line) return false;
      follows = false;
      mark(line);
      log.scrollIntoView({ block: "nearest" });
      middle(line);
      return true;
    };

    log.addEventListener("click", (event) => {
      const link = event.target.closest("li > a:first-child");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || link.parentNode.className) return;
      event.preventDefault();
      mark(link.parentNode);
      const address = new URL(link.href);
      say({ task: address.searchParams.get("task"), from: null, log: null, line: number(link.parentNode) }, number(link.parentNode));
    });
    log.addEventListener("mouseover", (event) => {
      const time = event.target.closest("time");
      if (time && !time.title) time.title = time.dateTime;
    });
    wrap?.addEventListener("click", (event) => {
      event.preventDefault();
      const is = log.classList.toggle("o-log-wrap");
      is ? wrap.setAttribute("aria-current", "true") : wrap.removeAttribute("aria-current");
      say({ wrap: is && "1" });
    });

    // ---- lines found
    if (hit) {
      const found = hit.dataset.hits.split(" ").map(Number);
      const said = hit.querySelector("[role=status]");
      let at = Number(said.textContent.split(" ")[0].replaceAll(",", "")) - 1;
      hit.addEventListener("click", async (event) => {
        const link = event.target.closest("a");
        if (!link) return;
        event.preventDefault();
        at = (at + (link.rel === "next" ? 1 : found.length - 1)) % found.length;
        said.textContent = `${(at + 1).toLocaleString("en")} of ${found.length.toLocaleString("en")}${hit.dataset.more}`;
        say({ from: null, log: null, hit: at + 1, line: found[at] }, found[at]);
        if (!await show(found[at])) location.reload();
      });
    }

    // ---- what is being written
    const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < END;
    const toEnd = () => {
      log.scrollTop = log.scrollHeight;
      before = log.scrollTop;
    };
    const grows = new ResizeObserver(() => { if (follows) toEnd(); });
    const tell = () => {
      if (follows) fresh = 0;
      if (follow) follow.hidden = is("finished");
      follow?.setAttribute("aria-pressed", String(follows));
      news.hidden = !fresh;
      news.textContent = `${fresh.toLocaleString("en")} new line${fresh === 1 ? "" : "s"}`;
    };
    const setFollows = (value) => {
      follows = value && is("tail");
      if (follows) {
        log.scrollIntoView({ block: "nearest" });
        toEnd();
      }
      tell();
    };
    log.addEventListener("scroll", () => {
      const is_up = log.scrollTop < before;
      before = log.scrollTop;
      if (is("finished") && !fresh) return;
      if (is_up || atEnd()) follows = is("tail") && atEnd();
      tell();
    }, { passive: true });
    follow?.addEventListener("click", () => setFollows(!follows));
    news.addEventListener("click", () => setFollows(true));

    const append = (got) => {
      const last = log.lastElementChild, known = last?.lastElementChild;
      if (got.localName !== "ol") {
        log.replaceChildren(got);
        return 0;
      }
      const is_same = last?.localName === "ol" && Math.ceil(last.dataset.last / BLOCK) === Math.ceil(got.dataset.last / BLOCK);
      const lines = [...got.children];
      if (known && known.id === lines[0].id) {
        if ("marked" in known.dataset) lines[0].dataset.marked = "";
        known.replaceWith(lines.shift()); // it may have gone on
      }
      if (last?.localName !== "ol") log.replaceChildren(got);
      else if (!is_same) log.append(got);
      else {
        last.append(...lines);
        last.dataset.last = got.dataset.last;
      }
      fresh += lines.length;
      return lines.length;
    };
    const poll = async () => {
      let wait = SOON;
      while (log.isConnected && is("tail") && !is("finished")) {
        await Promise.race([sleep(wait), new Promise((done) => { log.wake = done; })]);
        const last = log.lastElementChild;
        if (document.hidden || (last && "empty" in last.dataset)) continue;
        const known = last?.localName === "ol" && last.lastElementChild ? number(last.lastElementChild) : 0;
        let grown = 0;
        for (const from of known && known % BLOCK === 0 ? [known, known + 1] : [known || 1]) {
          const got = await fetched(from);
          if (!got) return;
          if (got.localName === "ol" || !known) grown += append(got);
          if ("finished" in got.dataset) log.dataset.finished = "";
        }
        if (follows && grown) toEnd();
        grows.disconnect();
        if (log.lastElementChild) grows.observe(log.lastElementChild);
        tell();
        wait = grown ? SOON : Math.min(wait * 1.5, LATE);
      }
    };

    const wanted = /^#L(\d+)$/.exec(location.hash)?.[1];
    const marked = log.querySelector("[data-marked]");
    if (wanted && !byId(`L${wanted}`)) {
      show(Number(wanted)).then((is) => { if (!is && !location.search.includes(`line=${wanted}`)) { say({ line: wanted }); location.reload(); } });
    } else if (marked) middle(marked);
    else if (is("tail") && !new URL(location).searchParams.has("from")) toEnd();
    follows = follows && !marked && atEnd();
    tell();
    fillAll();
    poll();
  };

  start();
  // Works where people reach the page without https, too.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-address]");
    if (!button) return;
    const field = document.createElement("input");
    field.value = location.href;
    button.before(field);
    field.select();
    button.lastChild.textContent = document.execCommand("copy") ? "Link copied" : "Copy it from the address bar";
    field.remove();
  });
  // Whoever watches a run at work sees the log of the task that is at work now.
  document.addEventListener("live:refreshed", async () => {
    const log = byId("lines"), tasks = byId("log-tasks");
    log?.wake?.();
    const is_chosen = new URL(location).searchParams.has("task");
    const is_other = tasks?.dataset.job && !log?.dataset.log.includes(`/${tasks.dataset.job}/`);
    if (is_chosen || !is_other || byId("log-follow")?.getAttribute("aria-pressed") === "false" && !("finished" in log.dataset)) return;
    await htmx.ajax("GET", location.href, { target: "#log", select: "#log", swap: "outerHTML" });
    start();
  });
})();
