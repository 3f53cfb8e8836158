"""The operator's runbook names every error of anchoring and every difference of the audit, by the
codes the program has, and no others; and each of its lines is reproduced by a test."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCES = [
    *(ROOT / "ledger").glob("*.py"),
    *(ROOT / "ledger" / "chain").glob("*.py"),
    ROOT / "credential" / "quorum.py",
]
ANCHORING = [
    ROOT / "ledger" / "anchoring.py",
    ROOT / "credential" / "quorum.py",
    *(ROOT / "ledger" / "chain" / f"{name}.py" for name in ("endpoint", "network", "transactions")),
]
DIFFERENCES = [
    ROOT / "ledger" / f"{name}.py"
    for name in ("reconciliation", "anchor_comparison", "status_comparison")
]


def error_codes(paths: list[Path]) -> set[str]:
    return {
        code
        for path in paths
        for code in re.findall(
            r'^    code(?:: ClassVar\[str\])? = "([a-z-]+)"', path.read_text(), re.M
        )
    }


def difference_codes() -> set[str]:
    source = "".join(path.read_text(encoding="utf-8") for path in DIFFERENCES)
    named = set(re.findall(r'Difference\(\s+"([a-z-]+)"', source))
    chosen = re.findall(r'"([a-z-]+)" if [^,]+ else "([a-z-]+)"', source)
    return named | {code for pair in chosen for code in pair}


def first_column() -> set[str]:
    rows = [line.split("|")[1] for line in RUNBOOK.splitlines() if line.startswith("| ")]
    return {code for row in rows for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row)}


def test_every_error_of_anchoring_is_in_the_runbook() -> None:
    assert len(error_codes(ANCHORING)) >= 10
    assert error_codes(ANCHORING) - first_column() == set()


def test_every_difference_of_the_audit_is_in_the_runbook() -> None:
    assert len(difference_codes()) >= 14
    assert difference_codes() - first_column() == set()


def test_the_runbook_names_no_code_that_does_not_exist() -> None:
    elsewhere = {
        code
        for path in (ROOT / "ledger").rglob("*.py")
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text(encoding="utf-8"))
    } | {
        code
        for path in (ROOT / "baeum").rglob("*.py")
        for code in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text(encoding="utf-8"))
    }
    assert first_column() - elsewhere - error_codes(SOURCES) == set()


# The first column of each line, and the tests that reproduce what it is about, by file.
REPRODUCED = {
    "`chain-owned`": "ledger/chain/test_embedded.py::"
    "test_a_second_writer_is_told_who_owns_the_chain",
    "`anchoring-unfinished`": "faults/test_anchoring_faults.py::"
    "test_enough_confirmations_before_it_is_final",
    "`database-locked`": "e2e/test_bad_input.py::test_a_locked_database_and_then_a_free_one "
    "test_a_dead_database_server test_a_full_disk_and_then_a_free_one",
    "verification says `not_run`": "e2e/test_main_job.py::test_a_dead_node_is_not_a_forgery",
    "`endpoint-unreachable`": "faults/test_chain_faults.py::"
    "test_node_unreachable_in_every_state_changes_nothing test_slow_node_is_left_after_the_timeout",
    "`endpoint-error`": "faults/test_chain_faults.py::"
    "test_node_that_answers_with_errors_changes_nothing "
    "test_answer_lost_after_sending_is_no_second_transaction",
    "`wrong-chain`": "faults/test_chain_faults.py::"
    "test_wrong_chain_id_is_refused_before_anything_is_signed_or_sent",
    "`contract-code-differs`": "faults/test_chain_faults.py::"
    "test_same_chain_id_without_our_contracts_is_refused_before_a_nonce_is_spent",
    "`network-unreadable`": "ledger/chain/test_network.py::test_a_description_that_is_none_is_told",
    "`too-few-nodes`": "faults/test_quorum.py::"
    "test_two_of_three_down_is_unreachable_and_changes_nothing",
    "`nodes-disagree`": "faults/test_quorum.py::"
    "test_two_that_contradict_each_other_are_both_not_believed",
    "a batch stays `mined`": "faults/test_chain_faults.py::"
    "test_stale_head_is_not_taken_for_a_reorganisation",
    "`account-empty`": "faults/test_chain_faults.py::"
    "test_empty_account_is_told_apart_from_an_unreachable_node",
    "`fee-above-cap`": "faults/test_chain_faults.py::test_fee_above_the_cap_is_not_paid "
    "test_fee_above_the_cap_while_waiting_keeps_the_old_offer",
    "`transaction-refused`": "faults/test_chain_faults.py::"
    "test_replacement_underpriced_is_waited_out "
    "test_nonce_too_high_waits_for_the_one_before_it "
    "test_nonce_too_low_is_given_up_only_when_the_other_transaction_is_deep",
    '"the nonce was used': "faults/test_anchoring_faults.py::"
    "test_a_nonce_spent_elsewhere_is_given_up_and_the_root_anchored_with_the_next",
    "`nonce-gap`": "faults/test_chain_faults.py::"
    "test_vacant_nonce_is_named_and_the_next_batch_fills_it",
    "a transaction was dropped": "faults/test_chain_faults.py::"
    "test_dropped_transaction_is_sent_again",
    "`transaction-not-mined`": "ledger/chain/test_network.py::"
    "test_a_transaction_that_is_never_mined_is_given_up",
    "`anchor-refused` with `AnchoringIsPaused`": "faults/test_chain_faults.py::"
    "test_paused_contract_spends_nothing_and_goes_on_when_resumed "
    "test_contract_paused_between_signing_and_mining",
    "`anchor-refused` with `NotAccredited`": "faults/test_anchoring_faults.py::"
    "test_suspended_between_signing_and_mining_it_is_sealed_again",
    "`anchor-refused` with `DuplicateRoot`": "faults/test_implementations.py::"
    "test_the_same_transactions_come_to_the_same_on_all_three",
    "`contract-refused`": "ledger/chain/test_gateway.py::"
    "test_registering_twice_is_refused_by_the_contract",
    "`highest-role-elsewhere`": "contracts/test_multisig.py::"
    "test_setup_gives_the_highest_role_to_the_address_it_is_told",
    "a batch goes from `mined` back": "faults/test_chain_faults.py::"
    "test_reorganisation_before_mined_is_written_down "
    "test_reorganisation_after_mined_was_written_down",
    "`anchor-missing`, or": "faults/test_deep_reorganisation.py::"
    "test_a_final_batch_that_was_reorganised_away_is_anchored_again "
    "test_the_audit_finds_it_and_is_clean_when_receipts_are_made_anew",
    "this machine's clock": "faults/test_chain_faults.py::test_clock_of_this_machine_is_wrong",
    "two servers work": "faults/test_chain_faults.py::"
    "test_two_workers_at_the_same_time_on_postgresql",
    "`document-altered`": "faults/test_audit.py::"
    "test_altered_row_document test_extra_row_at_the_end",
    "`leaf-missing`": "faults/test_audit.py::test_missing_row test_extra_row_at_the_end "
    "test_extra_row_in_no_batch",
    "`root-differs`": "faults/test_audit.py::test_altered_row_root_of_a_batch "
    "test_altered_row_inner_hashes_of_a_batch test_altered_row_batch_opened_again",
    "`receipt-differs`": "faults/test_audit.py::test_altered_receipt test_altered_receipt_removed",
    "`anchor-missing`": "faults/test_audit.py::test_altered_row_root_of_a_batch",
    "`anchor-foreign`": "faults/test_audit.py::test_foreign_anchor test_missing_row_batch",
    "`anchored-twice`": "faults/test_audit.py::test_foreign_anchor_of_a_root_of_ours",
    "`sequence-broken`": "faults/test_audit.py::test_gap_in_the_sequence",
    "`status-differs`": "faults/test_audit.py::test_altered_row_status_bit "
    "test_altered_row_index_marked_free",
}


def anchoring_lines() -> list[str]:
    """The first column of every line from the first failure to the audit's last difference."""
    text = RUNBOOK.split("## When something is wrong")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if row not in ("what you see", "difference")]


def test_every_line_of_the_runbook_is_reproduced_by_a_test() -> None:
    lines = anchoring_lines()
    assert len(lines) >= 30
    for line in lines:
        matching = [start for start in REPRODUCED if line.startswith(start)]
        assert matching, f"no test reproduces: {line}"
    for start, tests in REPRODUCED.items():
        assert any(line.startswith(start) for line in lines), f"not in the runbook: {start}"
        path, names = tests.split("::")
        source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        for name in names.split():
            assert f"def {name}(" in source, f"{path} has no {name}"
