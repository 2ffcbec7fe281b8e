"""People, categories, listings, tasks, offerings, conversations, reviews, favorites and the outbox.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("parent_key", sa.String(length=60), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("parent_key <> key", name=op.f("ck_categories_own_parent")),
        sa.ForeignKeyConstraint(
            ["parent_key"], ["categories.key"], name=op.f("fk_categories_parent_key"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint("key", name=op.f("uq_categories_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_waiting", "outbox", ["done_at", "due_at"])

    op.create_table(
        "state_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("thing", sa.String(length=30), nullable=False),
        sa.Column("thing_id", BIG, nullable=False),
        sa.Column("verb", sa.String(length=30), nullable=False),
        sa.Column("from_state", sa.String(length=30), nullable=False),
        sa.Column("to_state", sa.String(length=30), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_state_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_state_changes_thing_thing_id", "state_changes", ["thing", "thing_id"])

    op.create_table(
        "users",
        sa.Column("id", BIG, nullable=False),
        sa.Column("username", sa.String(length=30), nullable=False),
        sa.Column("username_key", sa.String(length=30), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("country", sa.String(length=100), nullable=False),
        sa.Column("avatar_url", sa.Text(), nullable=False),
        sa.Column("profile_picture_url", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_verified", sa.Boolean(), nullable=False),
        sa.Column("phone_verified", sa.Boolean(), nullable=False),
        sa.Column("is_helper", sa.Boolean(), nullable=False),
        sa.Column("skills", sa.Text(), nullable=False),
        sa.Column("helper_categories", sa.Text(), nullable=False),
        sa.Column("hourly_rate_minor", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("area_latitude", sa.Double(), nullable=True),
        sa.Column("area_longitude", sa.Double(), nullable=True),
        sa.Column("rating_sum", BIG, nullable=False),
        sa.Column("reviews_count", BIG, nullable=False),
        sa.Column("average_rating", sa.Double(), nullable=False),
        sa.Column("completed_tasks", BIG, nullable=False),
        sa.Column("declined_tasks", BIG, nullable=False),
        sa.Column("import_ref", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reviews_count >= 0 AND rating_sum >= 0", name=op.f("ck_users_ratings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("import_ref", name=op.f("uq_users_import_ref")),
        sa.UniqueConstraint("username_key", name=op.f("uq_users_username_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_users_area", "users", ["area_latitude", "area_longitude"])
    op.create_index("ix_users_average_rating", "users", ["average_rating", "id"])

    op.create_table(
        "favorites",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("item_type", sa.String(length=20), nullable=False),
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_favorites_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_favorites")),
        sa.UniqueConstraint("user_id", "item_type", "item_id", name=op.f("uq_favorites_user_id_item_type_item_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_favorites_item", "favorites", ["item_type", "item_id"])

    op.create_table(
        "listings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("seller_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("subcategory", sa.String(length=60), nullable=True),
        sa.Column("condition", sa.String(length=20), nullable=True),
        sa.Column("price_minor", BIG, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "price_rank",
            BIG,
            sa.Computed(
                "CASE WHEN price_minor IS NULL THEN -1 ELSE CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN price_minor * 1000 WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN price_minor ELSE price_minor * 10 END END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("location", sa.String(length=300), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("contact_info", sa.String(length=500), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("listing_type", sa.String(length=20), nullable=False),
        sa.Column("is_featured", sa.Boolean(), nullable=False),
        sa.Column("is_negotiable", sa.Boolean(), nullable=False),
        sa.Column("views_count", BIG, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("import_ref", sa.String(length=200), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_listings_price")),
        sa.ForeignKeyConstraint(
            ["category"], ["categories.key"], name=op.f("fk_listings_category"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["users.id"], name=op.f("fk_listings_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
        sa.UniqueConstraint("import_ref", name=op.f("uq_listings_import_ref")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_listings_browse", "listings", ["category", "status", "latitude", "longitude"])
    op.create_index(
        "ix_listings_category_newest",
        "listings",
        ["category", "status", "created_at", "id"],
        postgresql_include=["expires_at"],
    )
    op.create_index("ix_listings_newest", "listings", ["status", "created_at", "id"], postgresql_include=["expires_at"])
    op.create_index("ix_listings_place", "listings", ["status", "latitude", "longitude"])
    op.create_index("ix_listings_price", "listings", ["status", "price_rank", "id"])
    op.create_index("ix_listings_seller", "listings", ["seller_id", "created_at", "id"])

    op.create_table(
        "offerings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("creator_id", BIG, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("subcategory", sa.String(length=60), nullable=True),
        sa.Column("price_minor", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "price_rank",
            BIG,
            sa.Computed(
                "CASE WHEN price_minor IS NULL THEN -1 ELSE CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN price_minor * 1000 WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN price_minor ELSE price_minor * 10 END END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("price_type", sa.String(length=20), nullable=False),
        sa.Column("location", sa.String(length=300), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("service_radius", sa.Double(), nullable=True),
        sa.Column("availability", sa.String(length=500), nullable=False),
        sa.Column("experience", sa.Text(), nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("contact_count", BIG, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("import_ref", sa.String(length=200), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_offerings_price")),
        sa.ForeignKeyConstraint(
            ["category"], ["categories.key"], name=op.f("fk_offerings_category"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_offerings_creator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offerings")),
        sa.UniqueConstraint("import_ref", name=op.f("uq_offerings_import_ref")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_offerings_browse", "offerings", ["category", "status", "latitude", "longitude"])
    op.create_index("ix_offerings_category_newest", "offerings", ["category", "status", "created_at", "id"])
    op.create_index("ix_offerings_creator", "offerings", ["creator_id", "created_at", "id"])
    op.create_index("ix_offerings_newest", "offerings", ["status", "created_at", "id"])
    op.create_index("ix_offerings_place", "offerings", ["status", "latitude", "longitude"])
    op.create_index("ix_offerings_price", "offerings", ["status", "price_rank", "id"])

    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"])

    op.create_table(
        "tasks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("creator_id", BIG, nullable=False),
        sa.Column("assigned_to_id", BIG, nullable=True),
        sa.Column("booked", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("subcategory", sa.String(length=60), nullable=True),
        sa.Column("budget_minor", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "budget_rank",
            BIG,
            sa.Computed(
                "CASE WHEN budget_minor IS NULL THEN -1 ELSE CASE WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN budget_minor * 1000 WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN budget_minor ELSE budget_minor * 10 END END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("location", sa.String(length=300), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("radius", sa.Double(), nullable=True),
        sa.Column("required_skills", sa.Text(), nullable=False),
        sa.Column("images", sa.JSON(), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("difficulty", sa.String(length=20), nullable=True),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("responses_count", BIG, nullable=False),
        sa.Column("done_note", sa.Text(), nullable=False),
        sa.Column("done_images", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("import_ref", sa.String(length=200), nullable=True),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("assigned_to_id <> creator_id", name=op.f("ck_tasks_own_worker")),
        sa.CheckConstraint("budget_minor >= 0", name=op.f("ck_tasks_budget")),
        sa.ForeignKeyConstraint(["assigned_to_id"], ["users.id"], name=op.f("fk_tasks_assigned_to_id")),
        sa.ForeignKeyConstraint(["category"], ["categories.key"], name=op.f("fk_tasks_category"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["creator_id"], ["users.id"], name=op.f("fk_tasks_creator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("import_ref", name=op.f("uq_tasks_import_ref")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tasks_browse", "tasks", ["category", "status", "latitude", "longitude"])
    op.create_index("ix_tasks_budget", "tasks", ["status", "budget_rank", "id"])
    op.create_index(
        "ix_tasks_category_newest", "tasks", ["category", "status", "created_at", "id"], postgresql_include=["booked"]
    )
    op.create_index("ix_tasks_creator", "tasks", ["creator_id", "created_at", "id"])
    op.create_index("ix_tasks_newest", "tasks", ["status", "created_at", "id"], postgresql_include=["booked"])
    op.create_index("ix_tasks_place", "tasks", ["status", "latitude", "longitude"])
    op.create_index("ix_tasks_worker", "tasks", ["assigned_to_id", "status", "updated_at", "id"])

    op.create_table(
        "applications",
        sa.Column("id", BIG, nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("applicant_id", BIG, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("proposed_price_minor", BIG, nullable=True),
        sa.Column("passed_over", sa.Boolean(), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["applicant_id"], ["users.id"], name=op.f("fk_applications_applicant_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_applications_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("task_id", "applicant_id", name=op.f("uq_applications_task_id_applicant_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_applications_applicant", "applications", ["applicant_id", "created_at", "id"])

    op.create_table(
        "conversations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("participant_1_id", BIG, nullable=False),
        sa.Column("participant_2_id", BIG, nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("task_id", BIG, nullable=True),
        sa.Column("offering_id", BIG, nullable=True),
        sa.Column("listing_id", BIG, nullable=True),
        sa.Column("last_seq", BIG, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("participant_1_id < participant_2_id", name=op.f("ck_conversations_pair")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_conversations_listing_id")),
        sa.ForeignKeyConstraint(["offering_id"], ["offerings.id"], name=op.f("fk_conversations_offering_id")),
        sa.ForeignKeyConstraint(["participant_1_id"], ["users.id"], name=op.f("fk_conversations_participant_1_id")),
        sa.ForeignKeyConstraint(["participant_2_id"], ["users.id"], name=op.f("fk_conversations_participant_2_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_conversations_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint(
            "participant_1_id",
            "participant_2_id",
            "subject",
            name=op.f("uq_conversations_participant_1_id_participant_2_id_subject"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conversations_second", "conversations", ["participant_2_id"])

    op.create_table(
        "reviews",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reviewer_id", BIG, nullable=False),
        sa.Column("reviewed_user_id", BIG, nullable=False),
        sa.Column("reviewed_as", sa.String(length=10), nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("rating", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating")),
        sa.CheckConstraint("reviewer_id <> reviewed_user_id", name=op.f("ck_reviews_oneself")),
        sa.ForeignKeyConstraint(["reviewed_user_id"], ["users.id"], name=op.f("fk_reviews_reviewed_user_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"], name=op.f("fk_reviews_reviewer_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_reviews_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("task_id", "reviewer_id", name=op.f("uq_reviews_task_id_reviewer_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reviews_newest", "reviews", ["created_at", "id"])
    op.create_index("ix_reviews_reviewed", "reviews", ["reviewed_user_id", "created_at", "id"])
    op.create_index("ix_reviews_reviewer", "reviews", ["reviewer_id", "created_at", "id"])

    op.create_table(
        "messages",
        sa.Column("id", BIG, nullable=False),
        sa.Column("conversation_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("sender_id", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("client_message_id", sa.String(length=100), nullable=True),
        sa.Column("attachment_url", sa.Text(), nullable=True),
        sa.Column("attachment_type", sa.String(length=20), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_messages_conversation_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["users.id"], name=op.f("fk_messages_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("conversation_id", "seq", name=op.f("uq_messages_conversation_id_seq")),
        sa.UniqueConstraint("sender_id", "client_message_id", name=op.f("uq_messages_sender_id_client_message_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_unread", "messages", ["conversation_id", "sender_id", "read_at"])


def downgrade() -> None:
    op.drop_index("ix_messages_unread", table_name="messages")

    op.drop_table("messages")
    op.drop_index("ix_reviews_reviewer", table_name="reviews")
    op.drop_index("ix_reviews_reviewed", table_name="reviews")
    op.drop_index("ix_reviews_newest", table_name="reviews")

    op.drop_table("reviews")
    op.drop_index("ix_conversations_second", table_name="conversations")

    op.drop_table("conversations")
    op.drop_index("ix_applications_applicant", table_name="applications")

    op.drop_table("applications")
    op.drop_index("ix_tasks_worker", table_name="tasks")
    op.drop_index("ix_tasks_place", table_name="tasks")
    op.drop_index("ix_tasks_newest", table_name="tasks")
    op.drop_index("ix_tasks_creator", table_name="tasks")
    op.drop_index("ix_tasks_category_newest", table_name="tasks")
    op.drop_index("ix_tasks_budget", table_name="tasks")
    op.drop_index("ix_tasks_browse", table_name="tasks")

    op.drop_table("tasks")
    op.drop_index("ix_sign_ins_user_id", table_name="sign_ins")

    op.drop_table("sign_ins")
    op.drop_index("ix_offerings_price", table_name="offerings")
    op.drop_index("ix_offerings_place", table_name="offerings")
    op.drop_index("ix_offerings_newest", table_name="offerings")
    op.drop_index("ix_offerings_creator", table_name="offerings")
    op.drop_index("ix_offerings_category_newest", table_name="offerings")
    op.drop_index("ix_offerings_browse", table_name="offerings")

    op.drop_table("offerings")
    op.drop_index("ix_listings_seller", table_name="listings")
    op.drop_index("ix_listings_price", table_name="listings")
    op.drop_index("ix_listings_place", table_name="listings")
    op.drop_index("ix_listings_newest", table_name="listings")
    op.drop_index("ix_listings_category_newest", table_name="listings")
    op.drop_index("ix_listings_browse", table_name="listings")

    op.drop_table("listings")
    op.drop_index("ix_favorites_item", table_name="favorites")

    op.drop_table("favorites")
    op.drop_index("ix_users_average_rating", table_name="users")
    op.drop_index("ix_users_area", table_name="users")

    op.drop_table("users")
    op.drop_index("ix_state_changes_thing_thing_id", table_name="state_changes")

    op.drop_table("state_changes")
    op.drop_index("ix_outbox_waiting", table_name="outbox")

    op.drop_table("outbox")
    op.drop_table("categories")
