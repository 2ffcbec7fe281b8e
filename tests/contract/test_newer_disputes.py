"""Disputes as the newer client calls them."""

from collections.abc import Callable

import pytest

from tests.contract.client import Browser, has
from tests.contract.newer_tables import DISPUTE, REASON
from tests.disputes.stage import paid_task, running_task
from tests.factories import things

PATH = "/api/disputes"
SAID = {"reason": "work_quality", "description": "The shelf is crooked and two screws are missing."}
ANSWER = "The wall is crooked; the shelf is straight."
PAPER = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"
Promote = Callable[[Browser], Browser]


def filed(anna: Browser, task: int) -> int:
    """The id of a dispute about a task."""
    made = anna.post(PATH, json={"task_id": task, **SAID})
    assert made.status_code == 201, made.text
    return int(made.json["id"])


def test_reasons_come_with_labels_in_the_readers_language(anybody: Browser, anna: Browser) -> None:
    def first(browser: Browser, **headers: str) -> str:
        answer = browser.get(f"{PATH}/reasons", headers=headers)
        reasons = answer.json["reasons"]
        assert all(has(reason, REASON) for reason in reasons)
        assert all((one["key"], one["title"]) == (one["value"], one["label"]) for one in reasons)
        assert browser.token or "Accept-Language" in answer.headers["Vary"]
        return str(reasons[0]["label"])

    assert first(anybody) == "The work is not good enough"
    assert first(anybody, **{"Accept-Language": "lv-LV,en;q=0.5"}) == "Darbs nav pietiekami labs"
    assert first(anybody, **{"Accept-Language": "de"}) == "The work is not good enough"
    anna.put("/api/auth/profile", json={"language": "ru"})
    assert first(anna, **{"Accept-Language": "lv"}) == "Работа сделана недостаточно хорошо"


def test_a_dispute_is_filed_answered_and_resolved_by_the_newer_names(
    anna: Browser, juris: Browser, stranger: Browser, promote: Promote
) -> None:
    task = paid_task(anna, juris, budget=40)
    picture, reply = (things.upload(person.in_process) for person in (anna, juris))
    paper = things.upload(
        anna.in_process, "document", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n", "a.pdf"
    )
    files = [picture["url"], paper["url"]]
    made = anna.post(PATH, json={"task_id": task, **SAID, "evidence_images": files})
    assert made.status_code == 201, made.text
    path = f"{PATH}/{made.json['id']}"
    assert has(made.json["dispute"], DISPUTE)
    assert made.json["dispute"]["evidence_images"] == [picture["url"]]

    body = {"description": ANSWER, "evidence_images": [reply["url"]]}
    assert juris.post(f"{path}/respond", json=body).status_code == 200
    for shown in (anna.get(path).json, anna.get(PATH).json["disputes"][0]):
        assert has(shown, DISPUTE)
        assert (shown["response_description"], shown["response_images"]) == (ANSWER, [reply["url"]])
        assert shown["responded_at"] >= shown["created_at"]
        assert (shown["filed_by_id"], shown["filed_against_id"]) == (anna.id, juris.id)
        assert (shown["status"], shown["resolution"], shown["resolved_at"]) == ("under_review", None, None)

    admin, decision = promote(stranger), {"resolution": "partial", "resolution_notes": "Most of it was done."}
    without = admin.put(f"{path}/resolve", json=decision)
    assert (without.status_code, without.wrong) == (422, {"worker_amount"})
    decided = admin.put(f"{path}/resolve", json={**decision, "worker_amount": 25})
    assert decided.status_code == 200, decided.text
    dispute = decided.json["dispute"]
    assert (dispute["resolution"], dispute["resolution_notes"]) == ("partial", "Most of it was done.")
    assert admin.put(f"{path}/resolve", json=decision).status_code == 409  # its state makes it repeatable
    assert juris.post(f"{path}/appeal", json={"reason": "Too little."}).status_code == 200
    final = admin.put(f"{path}/resolve", json={"resolution": "pay_worker", "resolution_notes": "All of it."})
    assert final.status_code == 200, final.text
    assert final.json["dispute"]["resolved_at"]
    assert [final.json["dispute"][name] for name in ("status", "resolution", "resolution_notes")] == [
        *("resolved", "pay_worker", "All of it.")
    ]


def test_one_dispute_and_those_of_a_task_stand_in_envelopes_too(anna: Browser, juris: Browser) -> None:
    task = running_task(anna, juris)
    first = filed(anna, task)
    assert anna.post(f"{PATH}/{first}/withdraw").status_code == 200
    second = filed(anna, task)

    one = juris.get(f"{PATH}/{second}").json
    assert has(one, DISPUTE | {"dispute", "support_email"})
    assert one == {**one["dispute"], "dispute": one["dispute"]}
    about = juris.get(f"{PATH}/task/{task}").json
    assert (about["id"], [each["id"] for each in about["disputes"]], about["total"]) == (second, [second, first], 2)
    assert has(about["disputes"][0], DISPUTE)
    listed = juris.get(PATH).json
    assert (listed["total"], has(listed["disputes"][1], DISPUTE)) == (2, True)


@pytest.mark.parametrize(("resolution", "ends"), [("refund", "cancelled"), ("cancelled", "cancelled")])
def test_the_words_that_give_money_back(
    anna: Browser, juris: Browser, stranger: Browser, promote: Promote, resolution: str, ends: str
) -> None:
    path = f"{PATH}/{filed(anna, paid_task(anna, juris, budget=40))}"
    juris.post(f"{path}/respond", json={"content": ANSWER})
    body = {"resolution": resolution, "resolution_notes": "Nobody came."}
    decided = promote(stranger).put(f"{path}/resolve", json=body)
    assert decided.status_code == 200, decided.text
    assert (decided.json["dispute"]["outcome"], decided.json["dispute"]["resolution"]) == (ends, "refund")
    assert decided.json["dispute"]["to_worker"] == 0.0


def test_too_short_a_description_and_files_of_others_are_refused(anna: Browser, juris: Browser) -> None:
    task, theirs = running_task(anna, juris), things.upload(juris.in_process)["url"]
    short = anna.post(PATH, json={"task_id": task, **SAID, "description": "It is crooked."})
    assert (short.status_code, short.wrong) == (422, {"description"})
    foreign = anna.post(PATH, json={"task_id": task, **SAID, "evidence_images": [theirs]})
    assert (foreign.status_code, foreign.wrong) == (422, {"files"})
    assert anna.get(f"/api/tasks/{task}").json["status"] == "in_progress"
