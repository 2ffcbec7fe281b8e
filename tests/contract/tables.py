"""The field names of contract.md, copied by hand: a renamed field must fail a test."""


def _fields(text: str) -> set[str]:
    return {name.strip() for name in text.split(",")}


LIST = _fields("total, page, per_page, pages, has_more")

USER = _fields(
    """id, username, email, phone, first_name, last_name, avatar_url, profile_picture_url, bio, city,
    country, is_active, is_verified, phone_verified, user_type, is_helper, skills, helper_categories, hourly_rate,
    latitude, longitude, reputation_score, completion_rate, average_rating, reviews_count, created_at, updated_at"""
)
NEVER_PUBLIC = _fields("email, phone, password, password_hash")
TOKENS = _fields("message, token, access_token, refresh_token, user")

LISTING = _fields(
    """id, title, description, category, subcategory, condition, price, currency, location, latitude, longitude,
    seller_id, user_id, seller, image_urls, images, contact_info, tags, views_count, listing_type, status,
    is_featured, is_negotiable, created_at, updated_at, expires_at, price_minor"""
)
SELLER_INFO = _fields(
    """id, username, first_name, last_name, avatar_url, city, country, is_verified, average_rating, reviews_count,
    completion_rate, created_at"""
)
TASK = _fields(
    """id, title, description, category, budget, reward, currency, location, latitude, longitude, creator_id,
    creator_name, assigned_to_id, assigned_to_name, radius, required_skills, images, priority, status, deadline,
    responses_count, is_urgent, difficulty, created_at, updated_at, completed_at, price_minor, image_urls"""
)
TASK_WITH_TOKEN = _fields("pending_applications_count, has_applied, user_application")
APPLICATION = _fields(
    """id, task_id, applicant_id, applicant_name, applicant_avatar, applicant_rating, applicant_review_count,
    applicant_completed_tasks, applicant_member_since, applicant_bio, applicant_city, message, proposed_price,
    status, created_at, price_minor"""
)
TASK_NOTIFICATIONS = _fields("pending_applications, pending_confirmation, accepted_applications, total")
HELPER = _fields(
    """id, name, avatar, bio, city, latitude, longitude, rating, review_count, completed_tasks, skills, categories,
    hourly_rate, is_available, member_since, distance"""
)
OFFERING = _fields(
    """id, title, description, category, location, latitude, longitude, price, price_type, currency, status,
    creator_id, creator_name, creator_avatar, creator_rating, creator_review_count, creator_completed_tasks,
    availability, experience, service_radius, images, contact_count, created_at, updated_at, price_minor,
    image_urls"""
)
REVIEW = _fields("reviewer_name, reviewer_avatar, id, reviewer_id, reviewed_user_id, task_id, rating, content")
REVIEW_STATS = _fields("user_id, total_reviews, average_rating, rating_breakdown, as_worker, as_client")
REVIEWABLE = _fields("type, id, title, completed_at, your_role, review_type")
FULL_PROFILE = _fields("profile, reviews, listings, offerings, created_tasks, applications")
FAVORITE = _fields("favorite_id, favorited_at, item")
FAVORITE_COUNT = _fields("total, tasks, offerings, listings")
CONVERSATION = _fields(
    """id, participant_1_id, participant_2_id, task_id, offering_id, other_participant, unread_count, last_message,
    created_at, updated_at"""
)
PARTICIPANT = _fields("id, username, first_name, last_name, avatar_url, is_verified")
MESSAGE = _fields(
    """id, conversation_id, seq, sender_id, sender, content, is_read, delivered_at, read_at, attachment_url,
    attachment_type, created_at"""
)
OLD_CATEGORY_KEYS = ("car-wash", "pet-care", "tech-help", "repair", "gardening", "errands")
