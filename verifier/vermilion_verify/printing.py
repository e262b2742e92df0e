"""A report as text: the checks that ran, the verdict, what is not proven."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.findings import Finding, Severity
from vermilion_verify.report import CheckResult, CheckStatus, Report, Verdict
from vermilion_verify.texts import TEXTS

__all__ = ["render_error", "render_report", "render_warning", "safe_text"]

_MARKS = {
    CheckStatus.PASS: ("✓", "32"),
    CheckStatus.FAIL: ("✗", "31;1"),
    CheckStatus.UNKNOWN: ("?", "33"),
    CheckStatus.ABSENT: ("–", "2"),
}
_STYLES = {Severity.CRITICAL: "31;1", Severity.WARNING: "33;1", Severity.NOTICE: "2"}
# Controls, formats (bidirectional ones too), surrogates, unassigned; line and paragraph ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_OPEN_TROUBLE = {"key.in-doubt", "key.maybe-expired"}  # of a signature: neither good nor bad
_NAME_MAX, _SENTENCE_MAX = 240, 600  # characters; the report as JSON has everything
_GOOD = {Verdict.PROVEN, Verdict.SUPERSEDED}
_BAD = {Verdict.REFUTED, Verdict.REVOKED}


def render_report(
    report: Report, *, language: str, colour: bool, name: str, size: int | None
) -> str:
    """Return the report as lines for a terminal or a file.

    Args:
        report: What was found; a check that did not run is not printed.
        language: ``en`` or ``zh-CN``.
        colour: Whether to use ANSI colours; words and marks stand without them.
        name: Name of the file in question.
        size: Its size in bytes, or None where only a digest is known.
    """
    stated = report.document["sha256"][:16] + "…"
    if size is not None:
        stated = _say("size", language).format(f"{size:,}")
    lines = [_say("checking", language).format(name=_short(name), size=stated)]
    for check in report.checks:
        lines.append(_render_check(check, language, colour=colour))
        lines += [
            line for each in check.detail.get("rules", ()) for line in _render_rule(each, language)
        ]
    lines.append(f"{_say('interval', language)}: {_render_bounds(report.interval, language)}")
    lines += _render_recorder(report.document, language)
    lines += _render_number(report.document, language)
    lines += _render_timestamps(report, language)
    lines += _render_certificates(report, language)
    lines += [_render_approval(each, language, colour=colour) for each in report.approvals]
    lines += _render_findings(report.findings, language, colour=colour)
    sentence = _say(f"verdict.{report.verdict}", language)
    good, bad = report.verdict in _GOOD, report.verdict in _BAD
    lines.append(_paint(sentence, "32;1" if good else "31;1" if bad else "33;1", colour=colour))
    lines.append(f"{_say('does-not-prove', language)}:")
    lines += [f"  · {_say(sentence, language)}" for sentence in report.not_proven]
    return "\n".join(lines)


def render_error(error: EvidenceError, *, language: str) -> str:
    """Return an error with its code and the next step; never a traceback."""
    lines = [f"{_say('error', language)}[{error.code}]: {safe_text(error.message)}"]
    if step := _advice(error.code, language):
        lines.append(f"{_say('next-step', language)}: {step}")
    return "\n".join(lines)


def render_warning(text: str, *, colour: bool) -> str:
    """Return a sentence that nobody is meant to overlook."""
    return _paint(safe_text(text), "31;1", colour=colour)


def safe_text(text: str) -> str:
    """Return text without characters that could steer a terminal or break its line.

    They are written as JSON escapes, so that JSON stays the same JSON.
    """
    return "".join(_escape(each) if _is_unsafe(each) else each for each in text)


def _short(text: str, *, size_max: int = _NAME_MAX) -> str:
    """Return text that cannot pose as further lines where a terminal breaks a long one."""
    plain = " ".join(text.split())  # also of spaces there are no more than one
    return safe_text(plain if len(plain) <= size_max else plain[:size_max] + "…")


def _is_unsafe(character: str) -> bool:
    if " " <= character <= "~":
        return False
    return unicodedata.category(character) in _UNSAFE


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(*[iter(units)] * 2, strict=True))


def _render_check(check: CheckResult, language: str, *, colour: bool) -> str:
    mark, style = _MARKS[check.status]
    line = f"  {_paint(mark, style, colour=colour)} {check.id:<22}"
    if check.status is CheckStatus.PASS:
        return line + _say(check.id, language)
    status = _say(check.status.value, language)
    line += f"{status}: {_short(str(check.detail.get('message', '')), size_max=_SENTENCE_MAX)}"
    code = check.detail.get("code")
    if code:
        line += f" [{code}]"
        if step := _advice(str(code), language):
            line += f"\n{'':27}{_say('next-step', language)}: {step}"
    return line


def _render_rule(found: Mapping[str, Any], language: str) -> list[str]:
    """Say what a rule asks, who decided, and who is missing."""
    rule, term = found["rule"], found.get("term")
    asked = [" ".join(part for part in (rule["event"], rule.get("step")) if part)]
    asked += [
        _say(f"rule.{name}", language).format(rule[name])
        for name in ("count", "post", "unit", "after", "notBy", "within")
        if name in rule
    ]
    if term is not None and term["end"]:
        asked.append(_say("rule.until", language).format(term["end"]))
    state = "rule.met" if not found["missing"] else "rule.missing"
    if 0 < found["missing"] <= len(found["undecided"]):
        state = "rule.open"
    stands = _say(state, language).format(found["missing"])
    lines = [f"      · {_short(', '.join(asked), size_max=_SENTENCE_MAX)}: {stands}"]
    for each in found["decisions"]:
        status = _say(f"decided.{each['status']}", language)
        bounds = _render_bounds(each["interval"], language)
        who = _name(each["owner"])
        if "onBehalfOf" in each:
            who += ", " + _say("on-behalf-of", language).format(owner=each["onBehalfOf"])
        lines.append(f"          {_short(who, size_max=_SENTENCE_MAX)} – {status}; {bounds}")
    return lines


def _render_bounds(interval: Mapping[str, Any], language: str) -> str:
    bounds = [
        _say(text, language).format(**bound)
        for text, bound in (
            ("not-before", interval["notBefore"]),
            ("not-after", interval["notAfter"]),
        )
        if bound
    ]
    return "; ".join(bounds) or _say("no-bound", language)


def _render_recorder(document: Mapping[str, Any], language: str) -> list[str]:
    """Say who is said to have recorded this version; unsigned, only the ledger says so."""
    recorded = document.get("recordedBy")
    if recorded is None:
        return []
    line = f"{_say('recorded-by', language)}: {_short(_name(recorded['actor']))}"
    return [line if recorded["signed"] else f"{line} ({_say('as-stated', language)})"]


def _render_number(document: Mapping[str, Any], language: str) -> list[str]:
    """Say what became of the number that somebody was shown; unsigned, only the ledger says so."""
    number = document.get("number")
    if number is None:
        return []
    status = _say(f"number.{number['status']}", language)
    line = f"{_say('number', language)}: {_short(number['text'])} – {status}"
    return [line if number["signed"] else f"{line} ({_say('as-stated', language)})"]


def _name(actor: Mapping[str, str]) -> str:
    return " ".join(
        part for part in (actor["name"] or actor["id"], actor["post"], actor["unit"]) if part
    )


def _render_timestamps(report: Report, language: str) -> list[str]:
    """Say of each time-stamp that holds whose it is: every clock stands by itself."""
    found = report.check("timestamp.token")
    stamps = () if found is None else found.detail.get("timestamps", ())
    return [
        f"{_say('timestamp', language)}: "
        + _say("stamped", language).format(
            authority=_short(stamp["authority"]), time=stamp["notAfter"]
        )
        for stamp in stamps
    ]


def _render_certificates(report: Report, language: str) -> list[str]:
    """Say whom a certificate names beside the owner whom the roots registered."""
    found = report.check("key.validity")
    lines = []
    for each in () if found is None else found.detail.get("certificates", ()):
        parts = {"owner": _short(_name(each["owner"]))}
        text = "certificate-unchecked"
        if each["status"] == "checked":
            text = "certified"
            parts |= {name: _short(each[name]) for name in ("subject", "authority")}
            parts["revocation"] = _say(f"revocation.{each['revocation']}", language)
        lines.append(f"{_say('certificate', language)}: {_say(text, language).format(**parts)}")
    return lines


def _render_approval(approval: Mapping[str, Any], language: str, *, colour: bool) -> str:
    schemes = ", ".join(sorted({key["scheme"] for key in approval["keys"]}))
    decision = _say(str(approval["decision"]), language)
    bounds = _render_bounds(approval["interval"], language)
    others = sorted({_name(key["owner"]) for key in approval["keys"] if "owner" in key})
    names = ", ".join(_short(each) for each in [_name(approval["actor"]), *others])
    return (
        f"{_say('decision', language)}: {_short(str(approval['step']))} {decision} – "
        f"{names} ({schemes}){_render_delegators(approval, language)}"
        f"; {bounds}{_render_trouble(approval, language, colour=colour)}"
    )


def _render_delegators(approval: Mapping[str, Any], language: str) -> str:
    found = sorted({key["onBehalfOf"] for key in approval["keys"] if "onBehalfOf" in key})
    return "".join(
        ", " + _say("on-behalf-of", language).format(owner=_short(each)) for each in found
    )


def _render_trouble(approval: Mapping[str, Any], language: str, *, colour: bool) -> str:
    """Say of a signature that is not surely good why: amber where nobody can tell, red else."""
    lines = []
    for code in sorted({key["trouble"] for key in approval["keys"] if "trouble" in key}):
        status = CheckStatus.UNKNOWN if code in _OPEN_TROUBLE else CheckStatus.FAIL
        mark, style = _MARKS[status]
        lines.append(f"\n  {_paint(mark, style, colour=colour)} {_say(code, language)} [{code}]")
    return "".join(lines)


def _render_findings(findings: Sequence[Finding], language: str, *, colour: bool) -> Iterator[str]:
    """Say what was found, and after the last finding of a code what to do about it."""
    last = {finding.code: finding for finding in findings}
    for finding in findings:
        severity = _paint(
            _say(finding.severity.value, language), _STYLES[finding.severity], colour=colour
        )
        doubt = "" if finding.certain else f" ({_say('perhaps', language)})"
        label = _say("finding", language).format(sequence=finding.sequence)
        sentence = finding.zh if language == "zh-CN" else finding.en
        sentence = _short(sentence, size_max=_SENTENCE_MAX)
        yield f"{label}: {severity}{doubt}: {sentence} [{finding.code}]"
        if last[finding.code] is finding:
            yield f"{'':4}{_say('next-step', language)}: {_advice(finding.code, language)}"


def _advice(code: str, language: str) -> str:
    from vermilion_ledger.codes import all_codes  # only where something went wrong

    advice = all_codes().get(code)
    if advice is None:
        return ""
    return advice.zh if language == "zh-CN" else advice.en


def _say(key: str, language: str) -> str:
    return TEXTS[key].say(language)


def _paint(text: str, style: str, *, colour: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if colour else text
