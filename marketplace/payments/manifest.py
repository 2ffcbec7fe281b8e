"""Money: intents, ledger, fees, payouts, what providers say."""

from pathlib import Path

from marketplace.core.manifest import Lane, Manifest
from marketplace.events import payments as events
from marketplace.payments import calling, inbox, jobs, payout_routes, reconciling, routes, service, suspicion
from marketplace.payments.invariants import INVARIANTS
from marketplace.payments.ledger import proofs
from marketplace.payments.models import Payment, Payout, Refund

PAYMENTS = Manifest(
    name="payments",
    floor=3,
    blueprints=(routes.bp, payout_routes.bp, payout_routes.payouts_bp),
    events=(events,),
    jobs=(jobs,),
    background=((Lane.MONEY, calling.call_due), (Lane.MONEY, inbox.read_due)),
    stateful=(Payment, Refund, Payout),
    invariants=INVARIANTS,
    checks=(proofs.findings,),
    personal=Path(__file__).with_name("personal.toml"),
    rule_files={"FEE_RULES": service.fee_rules, "PAYOUT_RULES": suspicion.in_force},
    metrics=(reconciling.figures,),
)
