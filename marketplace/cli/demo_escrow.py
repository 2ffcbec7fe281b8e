"""`flask demo-escrow`: the whole story of a task's money, lived over HTTP and told step by step with the books."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import count
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from marketplace.auth.models import User
from marketplace.cli.audit import findings
from marketplace.cli.errors import in_sentences
from marketplace.core.database import migrations
from marketplace.core.database.db import execute, fetch, in_transaction
from marketplace.core.queues import jobs as queues_jobs
from marketplace.core.queues.outbox import relay
from marketplace.deals.models import Deal, task_reference
from marketplace.kit.clock import now
from marketplace.kit.money import Money
from marketplace.payments.ledger.models import LedgerAccount
from marketplace.payments.models import Payout
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.providers.fake.provider import FakeProvider
from marketplace.payments.providers.registry import providers
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.webhooks import service as webhooks_service

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PASSWORD = "a demo nobody keeps"
PLACE = {"location": "Rīga", "latitude": 56.95, "longitude": 24.1}
REFUSAL = "This demo wants a database where nobody lives yet. Run it with: make demo-escrow"
NO_FAKE = "This demo takes no real money: PAYMENT_PROVIDERS has to be fake."


@dataclass
class Stage:
    """Where the story is told: who plays in it, what the books said last."""

    console: Console
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    books: dict[str, int] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)

    def enter(self, name: str) -> None:
        """Somebody opens an account."""
        body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        answer = current_app.test_client().post("/api/auth/register", json=body).get_json()
        self.tokens[name], self.ids[answer["user"]["id"]] = answer["token"], name

    def appoint(self, name: str) -> None:
        """Somebody of the staff opens an account."""
        self.enter(name)
        in_transaction(lambda: execute(update(User).where(User.username == name).values(role="admin")))

    def get(self, name: str, path: str, accept: str = "application/json") -> TestResponse:
        """Somebody reads something."""
        return self._call(name, "GET", path, headers={"Accept": accept})

    def post(self, name: str, path: str, **body: Any) -> dict[str, Any]:
        """Somebody does something; whatever waits because of it is done too."""
        answer = self._call(name, "POST", path, json=body, headers={"Idempotency-Key": f"step {next(self.numbers)}"})
        work()
        told: dict[str, Any] = answer.get_json()
        return told

    def _call(self, name: str, method: str, path: str, *, headers: dict[str, str], **more: Any) -> TestResponse:
        headers = {**headers, "Authorization": f"Bearer {self.tokens[name]}"}
        answer = current_app.test_client().open(f"/api{path}", method=method, headers=headers, **more)
        if answer.status_code >= 400:
            raise click.ClickException(f"{method} {path}: {answer.status_code} {answer.get_data().decode('utf-8-sig')}")
        return answer

    def chapter(self, title: str) -> None:
        """What comes next is about something else."""
        self.console.print(f"\n[bold]{title}[/bold]\n{'─' * len(title)}")

    def say(self, sentence: str) -> None:
        """What happened, and what the books say now."""
        self.console.print(f"\n• {sentence}", highlight=False, soft_wrap=True)
        self._say_deals()
        accounts = {row.key: row for row in fetch(select(LedgerAccount.__table__).order_by(LedgerAccount.id))}
        books = {key: row.balance_minor for key, row in accounts.items()}
        if books == self.books:
            self.console.print("  No money moved.", style="dim")
            return
        moved = {key for key in books if books[key] != self.books.get(key, 0)}
        self.console.print(self._table([row for key, row in accounts.items() if books[key] or key in moved], moved))
        self.books = books

    def _say_deals(self) -> None:
        """The deals whose stage is another one."""
        stages = {row.reference: row.stage for row in fetch(select(Deal.reference, Deal.stage).order_by(Deal.id))}
        for reference in [name for name, stage in stages.items() if self.stages.get(name) != stage]:
            self.console.print(f"  The deal {reference} is {stages[reference]}.", highlight=False)
        self.stages = stages

    def _table(self, rows: list[Any], moved: set[str]) -> Table:
        """An arrow marks what has changed."""
        total = sum(row.balance_minor for row in rows)
        table = Table("", "account", "whose", "about", "balance", box=None, padding=(0, 2), show_footer=True)
        table.columns[1].footer, table.columns[4].footer = "all together", euro(total)
        table.columns[4].justify = "right"
        for row in rows:
            about, whose = row.key.split("/")[2], self.ids.get(row.owner_id, "")
            table.add_row("→" if row.key in moved else "", row.purpose, whose, about, euro(row.balance_minor))
        return table


@click.command("demo-escrow")
@with_appcontext
@in_sentences
def demo_escrow() -> None:
    """Tell the story of a task's money, from a card that is declined to a payout that comes back; exit 1 where the
    books are not as they must be."""
    migrations.upgrade()
    if list(providers()) != ["fake"]:
        raise click.ClickException(NO_FAKE)
    if fetch(select(func.count()).select_from(User))[0][0]:
        raise click.ClickException(REFUSAL)
    stage = Stage(Console(width=100))
    for name in ("anna", "juris"):
        stage.enter(name)
    stage.appoint("vera")
    first = a_first_task(stage)
    a_payout(stage)
    a_task_that_is_cancelled(stage)
    a_refund_after_the_payout(stage, first)
    a_dispute(stage)
    a_payout_that_comes_back(stage)
    a_client_who_says_nothing(stage)
    the_statement(stage)
    raise SystemExit(the_proof(stage))


def a_first_task(stage: Stage) -> int:
    """From three cards to the fee; returns the payment."""
    stage.chapter("Anna has a sofa carried")
    task = given(stage, "Carry a sofa", 40)
    payment = stage.get("anna", "/payments").get_json()["payments"][0]
    stage.say(f"Anna posts a task for {euro(4000)} to be held, Juris applies, Anna accepts. The payment waits.")
    said = paid(stage, payment["id"], "pm_card_chargeDeclined")
    stage.say(f"Anna's first card is declined: “{said['failure']}” The payment is {said['status']}.")
    said = paid(stage, payment["id"], "pm_card_threeDSecure2Required")
    stage.say(f"Her second card wants her to prove who she is, which she leaves be. The payment is {said['status']}.")
    said = paid(stage, payment["id"], "pm_card_visa")
    stage.say(f"Her third card works. The money is {said['status']}: the provider owes it to us, we to the task.")
    worked(stage, task)
    stage.say("Juris starts and says it is done. The money still waits for Anna.")
    stage.post("anna", f"/tasks/{task}/confirm")
    stage.say("Anna confirms: released. Juris has his share, the marketplace a fee of 10 %.")
    return int(payment["id"])


def a_payout(stage: Stage) -> None:
    """To the bank."""
    stage.chapter("Juris wants to see his money")
    ready = stage.post("juris", "/payouts/onboarding", country="LV")["ready"]
    stage.say(f"Juris tells the provider who he is and where his bank is (ready: {ready}).")
    payout = sent(stage, 36)
    stage.say(f"He sends {euro(3600)} to his bank: {payout['status']}.")


def a_task_that_is_cancelled(stage: Stage) -> None:
    """All of it goes back."""
    stage.chapter("Plans change")
    task = given(stage, "Paint the fence", 25, card="pm_card_visa")
    stage.say(f"Another task, accepted with a card at once: {euro(2500)} are held.")
    stage.post("anna", f"/tasks/{task}/cancel", reason="It rains.")
    refund = stage.get("anna", f"/payments?task_id={task}").get_json()["payments"][0]
    stage.say(f"Anna cancels before it begins. The payment is {refund['status']}; all of it is back on her card.")


def a_refund_after_the_payout(stage: Stage, payment: int) -> None:
    """A debt, which the next earning levels."""
    stage.chapter("Second thoughts")
    stage.post("vera", f"/payments/{payment}/refund", amount=10, reason="A scratch on the sofa.")
    stage.say(f"Vera of the staff gives Anna {euro(1000)} back for a scratch. Juris owes his share now.")
    task = given(stage, "Move a piano", 30, card="pm_card_visa")
    worked(stage, task)
    stage.post("anna", f"/tasks/{task}/confirm")
    stage.say(f"The next task brings {euro(2700)}, and what he owed is taken from it.")


def a_dispute(stage: Stage) -> None:
    """They divide it."""
    stage.chapter("They do not agree")
    task = given(stage, "Assemble a wardrobe", 50, card="pm_card_visa")
    worked(stage, task)
    stage.post("anna", f"/tasks/{task}/dispute", reason="A door is missing.")
    stage.say(f"A wardrobe without a door: Anna disputes it. {euro(5000)} stay where they are.")
    dispute = stage.get("juris", f"/disputes/task/{task}").get_json()["id"]
    made = stage.post("juris", f"/disputes/{dispute}/offers", amount=20)["dispute"]
    offer = made["offers"][-1]["id"]
    stage.say(f"Juris offers to settle for {euro(2000)} before the fee.")
    stage.post("anna", f"/disputes/{dispute}/offers/{offer}/accept")
    stage.say("Anna accepts: so much for the work, the rest back to her.")


def a_payout_that_comes_back(stage: Stage) -> None:
    """And is sent again."""
    stage.chapter("The bank says no")
    payout = sent(stage, 36)
    stage.say(f"Juris sends {euro(3600)} to his bank: {payout['status']}.")
    name = fetch(select(Payout.provider_id).where(Payout.id == payout["id"]))[0].provider_id
    fake = providers()["fake"]
    assert isinstance(fake, FakeProvider)
    fake.return_payout(name)
    work()
    back = stage.get("juris", f"/payouts/{payout['id']}").get_json()
    stage.say(f"Days later the bank sends it back: {back['status']}, “{back['failure']}” It is in his wallet again.")
    stage.say(f"He mends his details and sends it once more: {sent(stage, 36)['status']}.")


def a_client_who_says_nothing(stage: Stage) -> None:
    """The clock confirms."""
    stage.chapter("Anna says nothing")
    task = given(stage, "Mow the lawn", 20, card="pm_card_visa")
    worked(stage, task)
    deal = f"/deals/{task_reference(task)}"
    waits = confirms_at(stage, deal) - now()
    confirm_late()
    stage.say(f"Juris has mown the lawn, Anna does not look: still {stage_of(stage, deal)} before her time is over.")
    earlier = fetch(select(Deal.delivered_at).where(Deal.reference == task_reference(task)))[0].delivered_at - waits
    in_transaction(
        lambda: execute(update(Deal).where(Deal.reference == task_reference(task)).values(delivered_at=earlier))
    )
    confirm_late()
    stage.say(
        f"{round(waits / HOUR)} hours later the clock confirms for her: {stage_of(stage, deal)}, and Juris is paid."
    )


def the_statement(stage: Stage) -> None:
    """What Juris can give to his accountant."""
    stage.chapter("What Juris sees in his statement, the newest first")
    written = stage.get("juris", "/wallet/transactions", "text/csv").get_data(as_text=True)
    table = Table("amount", "balance", "reference", "explanation", box=None, padding=(0, 2))
    for column in table.columns[:2]:
        column.justify = "right"
    for line in csv.DictReader(StringIO(written)):
        amounts = (f"{line[name]} {line['currency']}" for name in ("amount", "balance"))
        table.add_row(*amounts, line["reference"], line["explanation"])
    stage.console.print(table)


def the_proof(stage: Stage) -> int:
    """Our books against themselves, against the provider's, and all the rest; what to exit with."""
    stage.chapter("Is everything as it must be?")
    differences = reconciliation_service.compare(BEGINNING, now() + timedelta(days=1))
    wrong = [*findings(), *(f"{one.kind}: {one.subject}" for one in differences)]
    for line in wrong or ["Everything is as it must be; our books and the provider's agree."]:
        stage.console.print(line, soft_wrap=True)
    return 1 if wrong else 0


def given(stage: Stage, title: str, budget: int, card: str | None = None) -> int:
    """A task of Anna's that Juris is to do, its money held at once where there is a card; its id."""
    about = {"title": title, "description": "As agreed on.", "category": "moving", "budget": budget}
    task = stage.post("anna", "/tasks", **about, **PLACE, payment="escrow")["id"]
    applied = stage.post("juris", f"/tasks/{task}/apply", message="I can.")["id"]
    method = {"payment_method": card} if card else {}
    stage.post("anna", f"/tasks/{task}/applications/{applied}/accept", price=budget, **method)
    return int(task)


def paid(stage: Stage, payment: int, card: str) -> Any:
    """What comes of trying this card."""
    return stage.post("anna", f"/payments/{payment}/confirm", payment_method=card)["payment"]


def confirm_late() -> None:
    """What the clock does every minute."""
    in_transaction(lambda: queues_jobs.enqueue("confirm_deals"))
    work()


def confirms_at(stage: Stage, deal: str) -> datetime:
    """When the clock does it to this deal."""
    return datetime.fromisoformat(stage.get("anna", deal).get_json()["confirms_at"])


def stage_of(stage: Stage, deal: str) -> str:
    """Of this deal, as Anna sees it."""
    return str(stage.get("anna", deal).get_json()["stage"])


def worked(stage: Stage, task: int) -> None:
    """Juris does it."""
    for verb in ("start", "done"):
        stage.post("juris", f"/tasks/{task}/{verb}")


def sent(stage: Stage, amount: int) -> Any:
    """A payout of Juris's, after the provider has had its say."""
    payout = stage.post("juris", "/payouts", amount=amount, currency="EUR")["payout"]
    return stage.get("juris", f"/payouts/{payout['id']}").get_json()


def work() -> None:
    """What the threads of a web process do meanwhile."""
    while sum((relay(), provider_requests_handlers.call_due(), webhooks_service.read_due(), queues_jobs.run_due())):
        pass


def euro(minor: int) -> str:
    """36.00 EUR."""
    return f"{Money(minor, 'EUR').exact} EUR"
