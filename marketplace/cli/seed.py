"""`flask seed`: the demo town."""

import click
from flask import current_app
from rich.console import Console
from rich.table import Table

from marketplace.cli.errors import on_database
from marketplace.demo_data import service as demo_data_service
from marketplace.kit.errors import Problem

REFUSAL = (
    "These are the settings of production, and the passwords of the demo people are public: "
    "say --yes-in-production if you mean it."
)
NO_STORAGE = "The files cannot be stored right now, so the pictures are left out."


@click.command("seed")
@click.option("--yes-in-production", is_flag=True, help="Build it with the settings of production too.")
@click.option("--without-pictures", is_flag=True, help="Leave out the pictures of people and of what is on offer.")
@on_database
def seed(yes_in_production: bool, without_pictures: bool) -> None:
    """Build a small demo town; once it is there nothing changes."""
    if current_app.config["ENVIRONMENT"] == "production" and not yes_in_production:
        raise click.ClickException(REFUSAL)
    try:
        report = demo_data_service.seed(with_pictures=not without_pictures)
    except Problem as problem:
        raise click.ClickException(f"The town could not be built. {problem.sentence}") from problem
    if not report.is_new:
        click.echo("The demo town is here already; nothing was changed.")
        return
    if not (report.has_pictures or without_pictures):
        click.echo(NO_STORAGE, err=True)
    console = Console()
    console.print("The demo town is built: " + ", ".join(f"{n} {name}" for name, n in report.counts.items()) + ".")
    table = Table("name", "e-mail", "password", title="Sign in as", title_justify="left")
    for row in demo_data_service.sign_ins():
        table.add_row(*row)
    console.print(table)
