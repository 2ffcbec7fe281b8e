"""The category tree a new marketplace starts with; admins change it afterwards.

Revision ID: 0003
Revises: 0002
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CATEGORIES = sa.table(
    "categories",
    sa.column("key", sa.String),
    sa.column("parent_key", sa.String),
    sa.column("name", sa.String),
    sa.column("kinds", sa.Text),
    sa.column("aliases", sa.Text),
    sa.column("position", sa.Integer),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("updated_at", sa.DateTime(timezone=True)),
)
# key, parent, name, what it is for, what clients also call it, position
TREE = [
    (
        "electronics",
        None,
        "Electronics",
        ",listing,product,",
        ",computers,laptops,audio,tv,cameras,gadgets,appliances-small,",
        10,
    ),
    ("phones", "electronics", "Phones", ",listing,product,", ",phone,mobile,smartphones,mobiles,", 20),
    (
        "home",
        None,
        "Home and furniture",
        ",listing,product,",
        ",furniture,home-garden,household,decor,kitchen,home-and-garden,",
        30,
    ),
    ("vehicles", None, "Vehicles", ",listing,product,", ",car,cars,motorcycles,auto-moto,boats,vehicle,", 40),
    ("parts", "vehicles", "Vehicle parts", ",listing,product,", ",car-parts,tyres,auto-parts,", 50),
    ("bicycles", None, "Bicycles", ",listing,product,offering,", ",bike,bikes,cycling,bicycle,", 60),
    ("clothing", None, "Clothing and shoes", ",listing,product,", ",clothes,fashion,shoes,accessories,", 70),
    ("kids", None, "Children", ",listing,product,", ",baby,toys,children,kids-toys,", 80),
    ("sports", None, "Sports and outdoors", ",listing,product,", ",sport,outdoor,outdoors,fitness,", 90),
    (
        "books",
        None,
        "Books, music and games",
        ",listing,product,",
        ",music,games,hobby,hobbies,media,books-music,",
        100,
    ),
    ("animals", None, "Animals", ",listing,", ",pets-for-sale,animals-pets,", 110),
    ("property", None, "Property", ",listing,", ",real-estate,housing,flats,apartments,rooms,rent,", 120),
    ("stays", "property", "Places to stay", ",listing,offering,", ",accommodation,lodging,short-term-rental,", 130),
    ("work-tools", None, "Tools and machines", ",listing,product,", ",tools,machinery,business-equipment,", 140),
    ("cleaning", None, "Cleaning", ",task,offering,", ",house-cleaning,cleaner,window-cleaning,laundry,", 150),
    ("moving", None, "Moving and carrying", ",task,offering,", ",removals,movers,heavy-lifting,transport,", 160),
    ("delivery", None, "Delivery and errands", ",task,offering,", ",errands,courier,shopping,pickup,groceries,", 170),
    (
        "repair",
        None,
        "Repairs and handyman",
        ",task,offering,",
        ",handyman,fixing,repairs,plumbing,electrical,renovation,painting,construction,",
        180,
    ),
    ("assembly", "repair", "Furniture assembly", ",task,offering,", ",furniture-assembly,ikea,", 190),
    (
        "gardening-outdoors",
        None,
        "Garden and outdoors",
        ",task,offering,",
        ",gardening,garden,lawn,snow-removal,yard,",
        200,
    ),
    ("car-care", None, "Car care", ",task,offering,", ",car-wash,car-repair,auto,automotive,", 210),
    ("pets", None, "Pet care", ",task,offering,", ",pet-care,dog-walking,pet-sitting,", 220),
    ("care", None, "Care and company", ",task,offering,", ",babysitting,childcare,elderly-care,nursing,", 230),
    ("tech", None, "Tech help", ",task,offering,", ",tech-help,it-help,computer-help,it,technology,programming,", 240),
    ("design", None, "Design and media", ",task,offering,", ",photography,video,graphic-design,creative,", 250),
    ("writing", None, "Writing and translation", ",task,offering,", ",translation,copywriting,typing,", 260),
    ("tutoring", None, "Lessons and tutoring", ",task,offering,", ",teaching,education,lessons,language-lessons,", 270),
    ("beauty", None, "Beauty and wellness", ",task,offering,", ",hairdressing,massage,cosmetics,health,", 280),
    ("events", None, "Events", ",task,offering,", ",party,catering,event-help,", 290),
    (
        "business",
        None,
        "Business and office",
        ",task,offering,",
        ",accounting,legal,marketing,admin-support,consulting,finance,",
        300,
    ),
    ("city", None, "City and neighbourhood", ",task,", ",public-works,sanitation,street-repair,", 310),
    ("other", None, "Everything else", ",listing,task,offering,product,", ",misc,general,miscellaneous,", 320),
]


def upgrade() -> None:
    names = ("key", "parent_key", "name", "kinds", "aliases", "position")
    moment = datetime.now(UTC).replace(tzinfo=None if op.get_bind().dialect.name == "sqlite" else UTC)
    stamps = {"created_at": moment, "updated_at": moment}
    rows = [{**dict(zip(names, row, strict=True)), **stamps} for row in TREE]
    op.bulk_insert(CATEGORIES, [row for row in rows if row["parent_key"] is None])
    op.bulk_insert(CATEGORIES, [row for row in rows if row["parent_key"] is not None])


def downgrade() -> None:
    keys = [row[0] for row in TREE]
    op.execute(sa.delete(CATEGORIES).where(CATEGORIES.c.key.in_(keys), CATEGORIES.c.parent_key.is_not(None)))
    op.execute(sa.delete(CATEGORIES).where(CATEGORIES.c.key.in_(keys)))
