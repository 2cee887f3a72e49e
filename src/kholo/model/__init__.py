"""The words of the house as types. Imports nothing of ours."""

from __future__ import annotations

from .case import Actor, Assessment, Case, Clock, Entry, Obligation, Proposition, Source
from .errors import (
    CaseError,
    EnvironmentFault,
    KholoError,
    NetworkFault,
    NotThere,
    Problem,
    ReferenceDataError,
    ScenarioError,
    StoreError,
    UsageError,
)
from .incident import Bracket, Cell, Collapse, DayState, HoursOfDay, Incident, NetworkSpell, ReportVotes, Wanted
from .measurement import MAX_BODY, Measurement, Observation, Reject
from .signal import LOST, Signal
from .verdict import Verdict
from .words import (
    IMPAIRED,
    ClockKind,
    EntryKind,
    Evidence,
    Grade,
    Kind,
    Layer,
    Locus,
    Outcome,
    SignalKind,
    State,
    Vantage,
)

__all__ = [
    "IMPAIRED",
    "LOST",
    "MAX_BODY",
    "Actor",
    "Assessment",
    "Bracket",
    "Case",
    "CaseError",
    "Cell",
    "Clock",
    "ClockKind",
    "Collapse",
    "DayState",
    "Entry",
    "EntryKind",
    "EnvironmentFault",
    "Evidence",
    "Grade",
    "HoursOfDay",
    "Incident",
    "KholoError",
    "Kind",
    "Layer",
    "Locus",
    "Measurement",
    "NetworkFault",
    "NetworkSpell",
    "NotThere",
    "Obligation",
    "Observation",
    "Outcome",
    "Problem",
    "Proposition",
    "ReferenceDataError",
    "Reject",
    "ReportVotes",
    "ScenarioError",
    "Signal",
    "SignalKind",
    "Source",
    "State",
    "StoreError",
    "UsageError",
    "Vantage",
    "Verdict",
    "Wanted",
]
