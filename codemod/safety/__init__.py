"""May a candidate be rewritten? One small check for each way in which a rewrite could be wrong."""

from __future__ import annotations

from collections.abc import Callable

from codemod.proposals import Proposal
from codemod.refusals import Refusal
from codemod.safety.names import (
    cells_are_in_order,
    clients_are_what_they_seem,
    functions_are_what_they_seem,
    names_mean_what_they_say,
    nobody_else_reads_the_names,
    nobody_lists_the_names,
)
from codemod.safety.objects import (
    no_check_is_lost,
    no_log_line_is_lost,
    nothing_untrue_is_logged,
    object_stays_private,
    upload_options,
)
from codemod.safety.paths import deleting_is_cleaning_up, every_path_calls
from codemod.safety.payloads import (
    arguments_only_give_values,
    calls_agree_on_content_type,
    calls_agree_on_location,
    content_type_can_travel,
    payload_can_be_sent,
    payload_is_not_handed_on,
    payload_is_not_used_later,
    upload_is_finished,
)

Check = Callable[[Proposal], Refusal | None]

#: The checks, in the order in which their answers are preferred. The first refusal without a
#: rewrite (SAI003) wins over every refusal that ``--unsafe-fixes`` may override (SAI002).
CHECKS: tuple[Check, ...] = (
    names_mean_what_they_say,
    clients_are_what_they_seem,
    functions_are_what_they_seem,
    nobody_else_reads_the_names,
    nobody_lists_the_names,
    payload_can_be_sent,
    payload_is_not_used_later,
    arguments_only_give_values,
    upload_is_finished,
    payload_is_not_handed_on,
    content_type_can_travel,
    calls_agree_on_content_type,
    calls_agree_on_location,
    upload_options,
    every_path_calls,
    object_stays_private,
    deleting_is_cleaning_up,
    nothing_untrue_is_logged,
    no_log_line_is_lost,
    no_check_is_lost,
    cells_are_in_order,
)
