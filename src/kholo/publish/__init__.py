"""The publish room: from a case with everything computed to static pages that need no script."""

from __future__ import annotations

from .answer import Answer, Basis, answer
from .site import build_site
from .view import CaseView, Elsewhere, Others, Versions

__all__ = ["Answer", "Basis", "CaseView", "Elsewhere", "Others", "Versions", "answer", "build_site"]
