"""Realistic answers, for the API description."""

HOLDER = {
    "id": "0198f2a4-6c1e-7d3a-9f52-3b7d1c0e8a41",
    "name": "nightly-sales #411",
    "target": "crm-extractor/contacts",
    "number": 1204,
    "status": "processing",
    "origin": "parent",
    "requested_by": None,
    "task_id": "crm-extractor/contacts",
    "run_id": "0198f2a4-51d0-7c9b-8a27-64e0d2f1b3c5",
    "orchestration": "nightly-sales",
    "run_number": 411,
    "accepted_at": "2026-11-30T07:02:08.114Z",
    "started_at": "2026-11-30T07:02:08.260Z",
}
WAITING = {
    **HOLDER,
    "id": "0198f2a7-0b3c-7e14-b6d9-1f2a7c8e9d05",
    "name": "crm-sync #208",
    "number": 1207,
    "status": "waiting",
    "run_id": "0198f2a7-0a91-7f60-9c3d-5b8e4a7d2c10",
    "orchestration": "crm-sync",
    "run_number": 208,
    "accepted_at": "2026-11-30T07:05:31.907Z",
    "started_at": None,
}
EXPLANATION = {
    "job_id": WAITING["id"],
    "status": "waiting",
    "sentence": "Third of 3, held by nightly-sales #411 since 07:02, expected start about 07:31 UTC.",
    "cause": "configuration_busy",
    "since": WAITING["accepted_at"],
    "place": 3,
    "length": 3,
    "holder": HOLDER,
    "holder_longer_than_usual": False,
    "expected_start": "2026-11-30T07:31:00Z",
    "expected_end": None,
    "usual_seconds": 580.2,
    "slots": None,
    "parallel_limit": None,
}
_WAITED = {
    "begin": "2026-11-30T04:30:00.301Z",
    "end": "2026-11-30T04:32:05.377Z",
    "cause": "configuration_busy",
    "holder_id": HOLDER["id"],
    "attempt": None,
    "outcome": None,
}
_RAN = {
    "begin": "2026-11-30T04:32:05.377Z",
    "end": "2026-11-30T04:33:53.402Z",
    "cause": "running",
    "holder_id": None,
    "attempt": 1,
    "outcome": "success",
}
TIMELINE = {
    "job_id": "0198f2a0-7c1e-7d3a-8f52-3b7d1c0e8b52",
    "status": "success",
    "begin": "2026-11-30T04:30:00.301Z",
    "end": "2026-11-30T04:33:53.402Z",
    "verdict": {
        "sentence": "It waited 2 min 5 s for nightly-sales #411, which held crm-extractor/contacts; "
        "it ran 1 min 48 s.",
        "waited_seconds": 125.076,
        "ran_seconds": 108.025,
        "waits": [
            {
                "cause": "configuration_busy",
                "seconds": 125.076,
                "holder_id": HOLDER["id"],
                "target": "crm-extractor/contacts",
            }
        ],
    },
    "segments": [{**_RAN, "begin": _WAITED["begin"], "attempt": None, "outcome": None}],
    "seconds": {"running": 233.101},
    "tasks": [
        {
            "id": "crm-extractor/contacts",
            "name": "Contacts",
            "phase": 0,
            "status": "success",
            "job_id": "0198f2a0-7c20-7b11-9c04-8e5f6a7b1c2d",
            "is_on_longest_path": True,
            "segments": [_WAITED, _RAN],
            "seconds": {"configuration_busy": 125.076, "running": 108.025},
        }
    ],
    "holders": [HOLDER],
}
_SLOTS = {"runners": 2, "total": 8, "in_use": 3}
LANES = {
    "items": [
        {
            "component": "crm-extractor",
            "configuration": "contacts",
            "sentence": "1 waits for nightly-sales #411, which has held it since 07:02 UTC, "
            "usually for 17 min.",
            "holder": HOLDER,
            "longer_than_usual": False,
            "usual_seconds": 1020.4,
            "expected_end": "2026-11-30T07:19:08Z",
            "waiting": [{"job": WAITING, "place": 1, "expected_start": "2026-11-30T07:19:08Z"}],
            "waiting_count": 1,
        }
    ],
    "next": None,
    "slots": _SLOTS,
}
TERMINATION = {
    "job_id": HOLDER["run_id"],
    "name": "nightly-sales #411",
    "status": "processing",
    "sentence": "Terminate nightly-sales #411? It has run for 41 min, usually 48 min.",
    "consequences": [
        "1 running task stops: crm-extractor/contacts.",
        "Tasks that have not started will not run.",
        "crm-sync #208 would start now instead of about 07:19 UTC.",
    ],
    "stopped": [HOLDER],
    "stopped_count": 1,
    "behind": [
        {
            "job": WAITING,
            "expected_start": "2026-11-30T07:19:08Z",
            "expected_start_after": "2026-11-30T07:14:00Z",
        }
    ],
    "behind_count": 1,
}
