# ruff: noqa: E501 - as people write them
"""A policy, a roster and a list as people write them, all right; tests change a line."""

POLICY = """\
policy: sample
version: 1
programme: copd
title: {nl: Voorbeeld, en: Sample}
source: none
mark: P
ladders:
  severe:
    signals: [breathing, heart_rate]
    severity: high
    text: {nl: a, en: b}
    resolve_within: 1 h
    snooze_at_most: 30 min
    hand_over_within: 10 min
    repeat_every: 10 min
    steps:
      - {recipient: nurse, request: acute, channels: [worklist], waits: {accepted: 10 min}}
      - {recipient: huisarts, request: acute, channels: [fhir, secure_mail],
         waits: {delivered: 5 min, accepted: 15 min, resolved: 2 h}}
      - {recipient: coordination_centre, request: acute, channels: [webhook], waits: {accepted: 10 min}}
  slow:
    signals: any
    severity: medium
    text: {nl: a, en: b}
    resolve_within: 8 h
    snooze_at_most: 4 h
    hand_over_within: 1 h
    recheck_after: 2 d
    repeat_every: 4 h
    group_wait: 30 min
    steps:
      - {recipient: nurse, request: regular, channels: [worklist, email], waits: {accepted: 2 h}}
      - {recipient: specialist, request: regular, question: copd_exacerbation, answer_within: 8 h,
         channels: [fhir], waits: {accepted: 4 h}}
      - {recipient: referral_desk, request: complex_regional, channels: [fhir], waits: {accepted: 4 h}}
"""

DEFAULT = """\
policy: everything
version: 1
programme: "*"
title: {nl: Voorbeeld, en: Sample}
source: none
mark: P
ladders:
  all:
    signals: any
    severity: any
    text: {nl: a, en: b}
    resolve_within: 1 h
    snooze_at_most: 30 min
    hand_over_within: 10 min
    repeat_every: 10 min
    steps:
      - {recipient: nurse, request: acute, channels: [worklist], waits: {accepted: 10 min}}
      - {recipient: huisarts, request: acute, channels: [fhir]}
"""

ROSTER = """\
roster: sample
version: 1
title: {nl: Voorbeeld, en: Sample}
source: none
mark: P
holidays:
  closed: [Nieuwjaarsdag, Eerste paasdag, Tweede paasdag, Koningsdag, Bevrijdingsdag, Hemelvaartsdag,
           Eerste pinksterdag, Tweede pinksterdag, Eerste kerstdag, Tweede kerstdag]
  as_usual: [Goede vrijdag]
recipients:
  huisarts:
    practice: {shift: office, on: [mon, tue, wed, thu, fri], from: "08:00", until: "17:00", title: {nl: a, en: b}}
    closed: {by: out_of_hours_post, on: [mon, tue, wed, thu, fri], from: "17:00", until: "08:00", title: {nl: a, en: b}}
    away: {by: out_of_hours_post, on: [sat, sun, holiday], from: "08:00", until: "08:00", title: {nl: a, en: b}}
  out_of_hours_post:
    open: {by: huisarts, on: [mon, tue, wed, thu, fri], from: "08:00", until: "17:00", title: {nl: a, en: b}}
    day: {shift: weekend, on: [sat, sun, holiday], from: "08:00", until: "17:00", title: {nl: a, en: b}}
    night: {shift: night, on: [mon, tue, wed, thu, fri, sat, sun, holiday], from: "17:00", until: "08:00",
            title: {nl: a, en: b}}
  nurse:
    always: {shift: day, on: [mon, tue, wed, thu, fri, sat, sun, holiday], from: "07:00", until: "07:00",
             title: {nl: a, en: b}}
"""

LIST = """\
teleconsultation: sample
version: 1
title: {nl: Voorbeeld, en: Sample}
source: none
mark: P
approved_by:
  - {line: first, body: huisartsen, on: 2026-11-01}
  - {line: second, body: longartsen, on: 2026-11-02}
conditions:
  copd_exacerbation:
    programmes: [copd]
    text: {nl: a, en: b}
    specialist: {nl: longarts, en: pulmonologist}
    answer_within: 24 h
    source: x
"""
