// One stream of events for each page. An event says what changed; the page fetches that as the server shows it and
// morphs it into what is there, so scroll, focus, selection, open details and half-typed input stay.
// What an element says for it (data-live, data-live-src, data-live-rows) is in docs/explanation/web-page.md.
// Without data-live-src the page itself is fetched, once for all such elements, and those with their ids taken from it.
(() => {
  const source = document.querySelector("[data-stream]");
  if (!source) return;
  const indicator = document.getElementById("live");
  const GATHER = 60, GAP = 500, PATIENCE = 30_000, MOST_ROWS = 50;
  const changed = new Set();
  let all = false, timer = 0, next = 0, attempt = 0, retry = 0, busy = false;

  const say = (state, text) => {
    if (!indicator) return; // outside of a project nothing comes by itself
    if (indicator.dataset.state === state && indicator.textContent === text) return;
    indicator.dataset.state = state;
    indicator.textContent = text;
  };

  // Asks once; who closes the dialog wants to look at the page.
  const signedOut = () => {
    if (indicator.dataset.state !== "signed-out") htmx.trigger("#again", "session:check");
    say("signed-out", "Signed out");
  };

  // Never two at once, and at most half of the time: a server that is slow is asked less often.
  const later = () => {
    if (timer || busy) return;
    timer = setTimeout(refresh, Math.max(GATHER, next - performance.now()));
  };

  const topics = (job) => {
    changed.add(`job:${job.id}`).add(`run:${job.root_id}`).add("jobs");
    changed.add(`configuration:${job.component}/${job.configuration}`);
    if (job.component === "orchestrator") changed.add(`orchestration:${job.configuration}`).add("runs");
  };

  const part = (element) => htmx.ajax("GET", element.dataset.liveSrc, { source: element, target: element, swap: "outerMorph" });

  // One request for all parts that are taken from the page itself; asking for the body gets the whole page.
  const parts = (elements) => {
    const selectOOB = elements.map((each) => `#${CSS.escape(each.id)}:outerMorph`).join(",");
    // The server may leave out what is here as it would send it. More do not fit into a header.
    const have = [...document.querySelectorAll("[data-have]")].slice(0, 300).map((each) => each.dataset.have).join(" ");
    // Below a dialog, whose address this is, stands the page.
    const url = history.state?.page ?? location.href;
    return htmx.ajax("GET", url, { target: document.body, swap: "none", selectOOB, headers: { "X-Have": have } });
  };
  // What is as it was stays alone: comparing costs little, morphing hundreds of rows a lot. So does what got an address of
  // its own since it was asked for.
  const plain = (element) => element.outerHTML.replace(/ (?:hx-nonce|data-htmx-powered)="[^"]*"/g, "");
  document.body.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    if (!ctx.selectOOB) return;
    const alone = tasks.filter(({ type, target, fragment }) =>
      type === "oob" && (target.dataset.liveSrc || plain(target) === plain(fragment.firstElementChild)));
    for (const each of alone) tasks.splice(tasks.indexOf(each), 1);
  });
  document.body.addEventListener("htmx:after:swap", (event) => {
    const { ctx } = event.detail;
    if (ctx.selectOOB && ctx.title) document.title = ctx.title;
  });

  const rows = (element, keys) => {
    const url = new URL(element.dataset.liveSrc, location.href);
    for (const key of keys) url.searchParams.append("only", key);
    return htmx.ajax("GET", url.pathname + url.search, { source: element, target: element, swap: "none" });
  };

  const rowsOf = (element, everything) => {
    const kinds = element.dataset.liveRows.split(" ");
    const keys = [...element.querySelectorAll("[data-live-key]")].map((row) => row.dataset.liveKey);
    return keys.filter((key) => everything || kinds.some((kind) => changed.has(`${kind}:${key}`)));
  };

  async function refresh() {
    timer = 0;
    const everything = all;
    const work = [];
    const own = [];
    for (const element of document.querySelectorAll("[data-live]")) {
      if (!everything && !element.dataset.live.split(" ").some((topic) => changed.has(topic))) continue;
      if (element.dataset.liveSrc) work.push(() => part(element));
      else own.push(element);
    }
    if (own.length) work.push(() => parts(own));
    for (const element of document.querySelectorAll("[data-live-rows]")) {
      const keys = rowsOf(element, everything);
      for (let from = 0; from < keys.length; from += MOST_ROWS) {
        const some = keys.slice(from, from + MOST_ROWS);
        work.push(() => rows(element, some));
      }
    }
    all = false;
    changed.clear();
    busy = true;
    const began = performance.now();
    try {
      for (const each of work) await Promise.race([each(), new Promise((done) => setTimeout(done, PATIENCE))]);
    } finally {
      busy = false;
      const now = performance.now();
      next = Math.max(began + GAP, now + (now - began));
      if (all || changed.size) later();
    }
    document.dispatchEvent(new CustomEvent("live:refreshed"));
  }

  const refreshAll = () => {
    all = true;
    later();
  };

  source.addEventListener("job", (event) => {
    topics(JSON.parse(event.detail.data));
    later();
  });
  source.addEventListener("readiness", (event) => {
    const { tables, triggers } = JSON.parse(event.detail.data);
    for (const table of tables) changed.add(`table:${table}`).add("tables");
    for (const { id, orchestration } of triggers) changed.add(`trigger:${id}`).add(`starts:${orchestration}`);
    later();
  });
  // What becomes late does so without an event.
  setInterval(() => {
    if (document.hidden || !document.querySelector("[data-live~=minute]")) return;
    changed.add("minute");
    later();
  }, 60_000);
  source.addEventListener("reset", refreshAll);
  source.addEventListener("live:changed", (event) => {
    event.detail.topics.forEach((topic) => changed.add(topic));
    later();
  });

  source.addEventListener("htmx:sse:after:connection", () => {
    attempt = 0;
    say("live", "Live");
  });
  source.addEventListener("htmx:sse:before:connection", (event) => {
    const tries = event.detail.connection.attempt;
    if (tries > 0 && indicator.dataset.state === "lost") {
      const seconds = Math.ceil(Math.min(500 * 2 ** (tries - 1), 15_000) / 1000);
      say("lost", `Connection lost, trying again in ${seconds} s`);
    }
  });
  source.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) signedOut();
    else say("lost", "Connection lost, trying again");
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) say("paused", "Paused while hidden");
    else if (indicator.dataset.state === "paused") say("live", "Live");
  });

  // The very first request is not the extension's to repeat.
  const failed = (event) => {
    if (event.target !== source || source._htmx?.sse) return;
    const status = event.detail.ctx?.response?.status;
    if (status === 401) return signedOut();
    if (status === 403 || status === 404) return say("lost", "Not live");
    const seconds = Math.min(2 ** attempt++, 15);
    say("lost", `Connection lost, trying again in ${seconds} s`);
    clearTimeout(retry);
    retry = setTimeout(() => {
      delete source.dataset.htmxPowered;
      htmx.ajax("GET", source.getAttribute("hx-sse:connect"), { source, swap: "none" });
    }, seconds * 1000);
  };
  document.addEventListener("htmx:response:error", failed);
  document.addEventListener("htmx:error", failed);
})();
