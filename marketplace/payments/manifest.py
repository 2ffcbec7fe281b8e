"""Payments: intents, ledger, fees, payouts, providers, webhooks, subscriptions."""

from pathlib import Path

from marketplace.core.manifest import Lane, Manifest
from marketplace.events import payments as events_payments
from marketplace.events import subscriptions as events_subscriptions
from marketplace.payments import jobs, routes, service
from marketplace.payments.admin import routes as payments_admin_routes
from marketplace.payments.chargebacks import routes as chargebacks_routes
from marketplace.payments.chargebacks.models import Chargeback
from marketplace.payments.invariants import INVARIANTS
from marketplace.payments.ledger import invariants as ledger_invariants
from marketplace.payments.models import Payment, PaymentShare, Payout, Refund
from marketplace.payments.payouts import risk
from marketplace.payments.payouts import routes as payouts_routes
from marketplace.payments.provider_requests import handlers as provider_requests_handlers
from marketplace.payments.reconciliation import service as reconciliation_service
from marketplace.payments.subscriptions import jobs as subscriptions_jobs
from marketplace.payments.subscriptions import plans, provider_requests
from marketplace.payments.subscriptions import routes as subscriptions_routes
from marketplace.payments.subscriptions import subscribers as subscriptions_subscribers
from marketplace.payments.subscriptions.models import Subscription
from marketplace.payments.subscriptions.refunds import routes as refunds_routes
from marketplace.payments.subscriptions.refunds.models import InvoiceRefund
from marketplace.payments.webhooks import service as webhooks_service

PAYMENTS = Manifest(
    name="payments",
    floor=3,
    blueprints=(
        routes.bp,
        payouts_routes.bp,
        payouts_routes.payouts_bp,
        subscriptions_routes.plans_bp,
        subscriptions_routes.bp,
        payments_admin_routes.bp,
        chargebacks_routes.bp,
        refunds_routes.bp,
    ),
    events=(events_payments, events_subscriptions),
    subscribers=(subscriptions_subscribers,),
    jobs=(jobs, subscriptions_jobs),
    provider_requests=(provider_requests,),
    background=((Lane.MONEY, provider_requests_handlers.call_due), (Lane.MONEY, webhooks_service.read_due)),
    stateful=(Chargeback, Payment, PaymentShare, Refund, Payout, Subscription, InvoiceRefund),
    invariants=INVARIANTS,
    checks=(ledger_invariants.findings,),
    personal=Path(__file__).with_name("personal.toml"),
    rule_files={
        "FEE_RULES": service.fee_rules,
        "PAYOUT_RULES": risk.in_force,
        "PLANS_FILE": plans.all_plans,
    },
    metrics=(reconciliation_service.figures,),
)
