# ruff: noqa: T201  (a program of its own)
"""A whole service for components behind HTTP, without any library: it counts to a number, one per second."""

import contextlib
import http.server
import json
import sys
import threading
import urllib.request
from typing import Any

RUNS: dict[str, dict[str, Any]] = {}
LOCK = threading.Lock()


def count(run: dict[str, Any], notify: str | None) -> None:
    """The work: it tells how far it is, stops when asked to, and reports its end if somebody wants that."""
    while run["counted"] < run["to"] and not run["stop"].wait(run["every"]):
        run["counted"] += 1
        run["step"] = f"{run['counted']} of {run['to']}"
    run["status"] = "stopped" if run["stop"].is_set() else "done"
    if notify:
        body = json.dumps(shown(run)).encode()
        request = urllib.request.Request(notify, body, {"Content-Type": "application/json"})  # noqa: S310
        with contextlib.suppress(OSError):  # a report may be lost: whoever waits also asks
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def shown(run: dict[str, Any]) -> dict[str, Any]:
    """What others see of a run."""
    state = {"counted": run["before"] + run["counted"]}
    text = f"counted to {run['counted']}, {state['counted']} in all"
    return {"id": run["id"], "status": run["status"], "step": run["step"], "text": text, "next": state}


def begin(wish: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
    """The same key again is the same run: a start whose answer was lost may be repeated."""
    number = wish.get("to")
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        return 422, {"text": "parameters.to: say how far to count, with a whole number"}
    with LOCK:
        if key in RUNS:
            return 200, shown(RUNS[key])
        run = {
            "id": key,
            "status": "counting",
            "step": "",
            "counted": 0,
            "to": number,
            "stop": threading.Event(),
        }
        run |= {"every": float(wish.get("every", 1)), "before": (wish.get("state") or {}).get("counted", 0)}
        RUNS[key] = run
    threading.Thread(target=count, args=(run, wish.get("notify")), daemon=True).start()
    return 201, shown(run)


class Handler(http.server.BaseHTTPRequestHandler):
    """POST /runs, GET /runs/<id>, POST /runs/<id>/cancel."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/runs":
            self.answer(*begin(json.loads(body), self.headers.get("Idempotency-Key", "")))
        elif run := RUNS.get(self.path.removeprefix("/runs/").removesuffix("/cancel")):
            run["stop"].set()
            self.answer(202, shown(run))
        else:
            self.answer(404, {"text": "there is no such run"})

    def do_GET(self) -> None:
        run = RUNS.get(self.path.removeprefix("/runs/"))
        self.answer(*(200, shown(run)) if run else (404, {"text": "there is no such run"}))

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
