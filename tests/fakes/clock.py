"""Standard modules whose answers change between runs, made the same in every run.

They replace the real ones only for the program's own imports, so nothing else in the process sees
them. Every answer is one further than the last: a program that evaluates ``uuid.uuid4()`` twice
where it did once before is found out.
"""

from __future__ import annotations

import asyncio
import datetime
import itertools
import random
import secrets
import time
import types
import uuid
from typing import Any

EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z


def steady_modules() -> dict[str, types.ModuleType]:
    """Fresh stand-ins for the modules whose answers nobody can foresee, by name."""
    seconds = itertools.count(EPOCH)
    identifiers = itertools.count(1)
    dice = random.Random(20_260_617)

    class SteadyDatetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> SteadyDatetime:
            moment = cls.fromtimestamp(next(seconds), datetime.timezone.utc)
            return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)

        @classmethod
        def utcnow(cls) -> SteadyDatetime:
            return cls.now()

        @classmethod
        def today(cls) -> SteadyDatetime:
            return cls.now()

    class SteadyDate(datetime.date):
        @classmethod
        def today(cls) -> SteadyDate:
            return cls.fromtimestamp(next(seconds))

    def identifier(*_: Any) -> uuid.UUID:
        return uuid.UUID(int=(next(identifiers) << 96) | (4 << 76) | (8 << 60))

    def token(size: int | None = None) -> str:
        return f"{next(identifiers):0{2 * (size or 16)}x}"

    def now() -> float:
        return float(next(seconds))

    def nanoseconds() -> int:
        return next(seconds) * 1_000_000_000

    def moment(convert: Any) -> Any:
        return lambda at=None: convert(next(seconds) if at is None else at)

    def strftime(form: str, at: Any = None) -> str:
        return time.strftime(form, time.gmtime(next(seconds)) if at is None else at)

    chosen = {name: getattr(dice, name) for name in dir(dice) if not name.startswith("_")}
    return {
        "time": _replaced(
            time,
            time=now,
            monotonic=now,
            perf_counter=now,
            time_ns=nanoseconds,
            monotonic_ns=nanoseconds,
            perf_counter_ns=nanoseconds,
            gmtime=moment(time.gmtime),
            localtime=moment(time.gmtime),
            strftime=strftime,
            sleep=lambda seconds: None,
        ),
        "asyncio": _replaced(asyncio, sleep=_asleep),
        "datetime": _replaced(datetime, datetime=SteadyDatetime, date=SteadyDate),
        "uuid": _replaced(uuid, uuid1=identifier, uuid4=identifier),
        "random": _replaced(random, **{n: f for n, f in chosen.items() if hasattr(random, n)}),
        "secrets": _replaced(secrets, token_hex=token, token_urlsafe=token, choice=dice.choice),
    }


async def _asleep(delay: float, result: Any = None) -> Any:
    return result


def _replaced(real: types.ModuleType, **replacements: Any) -> types.ModuleType:
    module = types.ModuleType(real.__name__, real.__doc__)
    module.__dict__.update(real.__dict__)
    module.__dict__.update(replacements)
    return module
