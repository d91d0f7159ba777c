"""Definitions in YAML for the end-to-end tests: the demo's shape, made of tasks that keep a ledger."""

FLIGHTS = """
orchestration: flights
phases:
  - name: Extract
    tasks:
      - run: load/flights
      - run: load/weather
  - name: Transform
    tasks:
      - run: shape/delays
  - name: Second transformation
    tasks:
      - run: shape/impact
  - name: Write
    tasks:
      - run: write/report
notify:
  data-team@example.com: [error, warning, success]
---
orchestration: carriers
phases:
  - name: Transform
    tasks:
      - run: shape/carriers
triggers:
  both: {tables: [out.c-nyc.delays, out.c-nyc.impact]}
---
orchestration: minutely
phases:
  - name: Tick
    tasks:
      - run: write/tick
schedules:
  every-minute: {cron: "* * * * *"}
notify:
  tick@example.com: [success]
---
orchestration: broken
phases:
  - name: Load
    tasks:
      - run: load/misspelled
      - run: load/beside
  - name: Never
    tasks:
      - run: write/never
notify:
  data-team@example.com: [error]
  boss@example.com: [success]
---
orchestration: tolerant
phases:
  - name: Load
    tasks:
      - run: load/misspelled
        continue_on_failure: true
  - name: Write
    tasks:
      - run: write/nevertheless
notify:
  data-team@example.com: [warning]
---
orchestration: outer
phases:
  - name: Inner
    tasks:
      - run: orchestrator/broken
notify:
  Data-Team@example.com: [error]
---
orchestration: empty
---
configuration: load/flights
parameters: {meet: [weather], tables: [in.c-nyc.flights]}
---
configuration: load/weather
parameters: {meet: [flights], tables: [in.c-nyc.weather]}
---
configuration: shape/delays
parameters: {tables: [out.c-nyc.delays]}
---
configuration: shape/impact
parameters: {tables: [out.c-nyc.impact]}
---
configuration: write/report
---
configuration: shape/carriers
---
configuration: write/tick
---
configuration: load/misspelled
parameters: {meet: [misspelled], fail: 'column "dep_dealy" does not exist'}
---
configuration: load/beside
parameters: {seconds: 0.3}
---
configuration: write/never
---
configuration: write/nevertheless
"""
