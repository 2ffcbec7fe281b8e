"""The field names of the newer client's page of the contract, copied by hand: a renamed field must fail a test."""


def _fields(text: str) -> set[str]:
    return {name.strip() for name in text.split(",")}


PRESENCE = _fields("user_id, is_online, online_status, status, last_seen, last_seen_display, timestamp")
CONNECTED = _fields("user_id, status, timestamp")
HEARTBEAT_ACK = _fields("status, timestamp")

REASON = _fields("value, label, key, title")
DISPUTE = _fields(
    """id, task_id, task_title, filed_by_id, filed_by_name, filed_against_id, filed_against_name, reason, reason_label,
    description, evidence_images, status, resolution, resolution_notes, resolved_at, response_description,
    response_images, responded_at, support_email, created_at, updated_at"""
)

STATS = _fields(
    """total_users, new_users_week, total_tasks, active_tasks, completed_tasks, disputed_tasks, total_offerings,
    total_disputes, open_disputes"""
)
ADMIN_LIST = _fields("total, page, per_page, totalPages")
ADMIN_USER = _fields("is_banned, rating, jobs_count, offerings_count, completed_tasks, avatar_url")
ADMIN_USER |= _fields("id, username, email, is_verified, created_at")

UNREAD_COUNT = _fields("unread_count, accepted_applications")
MARKED = _fields("message, updated_count")
JOB_ALERT = _fields("enabled, radius_km, categories, has_location")
PUSH_SUBSCRIPTION = _fields("id, device_name, created_at")

TASK_CREATOR = _fields("creator_avatar, creator_city, creator_rating, creator_review_count")
OFFERING_RANK = _fields("is_boost_active, is_premium")
WIDENED = _fields("effective_radius, radius_expanded")

USER_PUBLIC = _fields("tasks_completed, online_status, last_seen_display, user_type")
USER_PRIVATE = USER_PUBLIC | _fields("is_admin, onboarding_completed")

REVIEW_PEOPLE = _fields("reviewer, reviewed_user")
REVIEW_PERSON = _fields("id, username, profile_picture_url")
CAN_REVIEW = _fields("can_review, reviewee, task, min_content_length")
STORAGE = _fields("configured, provider")
UPLOADED = _fields("message, url, filename, category, size")
REPORT = _fields("id, type, reason, description, status, reporter_id, reporter_name, reported_id, reported_name")
REPORT |= _fields("target_id, created_at")
TRANSACTION = _fields(
    """id, task_id, payer_id, payee_id, amount, platform_fee, worker_amount, currency, status, created_at, held_at,
    released_at, refunded_at, failure_reason"""
)
