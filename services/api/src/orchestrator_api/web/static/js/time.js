// Keeps relative times right without requests, in the words of web/words.py. Tells the server the browser's zone.
(() => {
  const MINUTE = 60, HOUR = 3600, DAY = 86400;
  const two = (large, unit, small, smaller) => `${large} ${unit}` + (small ? ` ${small} ${smaller}` : "");
  const passed = (seconds) => {
    if (seconds < MINUTE) return `${Math.max(0, Math.trunc(seconds))} s`;
    const minutes = Math.trunc(seconds / MINUTE);
    if (seconds < HOUR) return `${minutes} min`;
    if (seconds < DAY) return two(Math.trunc(minutes / 60), "h", minutes % 60, "min");
    const days = Math.trunc(seconds / DAY);
    return days === 1 ? "1 day" : `${days.toLocaleString("en")} days`;
  };
  const page = document.documentElement.dataset;
  const ahead = (Date.parse(page.now) - Date.now()) / 1000;
  const skew = Math.abs(ahead) > 5 ? ahead : 0; // of a clock that is wrong; less is the way from the server
  const now = () => Date.now() / 1000 + skew;

  const kinds = {
    relative(at) {
      const seconds = now() - at;
      if (Math.abs(seconds) >= DAY) return null;
      if (Math.abs(seconds) < 1) return "just now";
      return seconds >= 0 ? `${passed(seconds)} ago` : `in ${passed(-seconds)}`;
    },
    since: (at) => passed(now() - at),
  };

  const clock = () => {
    const name = page.zone || "UTC";
    const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: name });
    return `${time.format(new Date(now() * 1000))} ${name.split("/").pop().replaceAll("_", " ")}`;
  };

  const tick = () => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("[data-tick]")) {
      const kind = element.dataset.tick;
      const text = kind === "clock" ? clock() : kinds[kind](Date.parse(element.dateTime) / 1000);
      if (text !== null && element.textContent !== text) element.textContent = text;
    }
  };

  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!page.zone && own) {
    document.cookie = `orchestrator_zone=${own}; Path=/; Max-Age=31536000; SameSite=Lax`;
    page.zone = own;
    if (own !== "UTC") htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerMorph" });
    tick();
  }
  setInterval(tick, 10_000);
  document.addEventListener("visibilitychange", tick);
})();
