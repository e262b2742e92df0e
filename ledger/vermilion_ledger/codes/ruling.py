"""Codes raised where a registration names a class, and where people name a policy."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_NAME_ONE = Advice(
    en="Name one of the classes that `GET /v1/classes` lists, or a policy.",
    zh="请指定 `GET /v1/classes` 所列的类别之一,或指定一项策略。",
)

CODES: dict[str, Advice] = {
    # --- classes of records ---
    "class.beside-policy": Advice(
        en="Leave the policy out: the class stands for it.",
        zh="请去掉策略:类别已代表其策略。",
    ),
    "class.missing": _NAME_ONE,
    "class.unknown": _NAME_ONE,
    # --- policies by name ---
    "policy.ambiguous": Advice(
        en="Name the policy by its digest: `vermilion policy list` shows them.",
        zh="请以摘要指定策略:`vermilion policy list` 可列出。",
    ),
    "policy.unknown": Advice(
        en="Name a policy that `vermilion policy list` shows, or a file with its rules.",
        zh="请指定 `vermilion policy list` 所列的策略,或载有其规则的文件。",
    ),
}
