"""The peer: FastAPI with async SQLAlchemy ORM and pydantic, as their documentation teaches."""

import math
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Float,
    ForeignKey,
    String,
    Text,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
SECRET = os.environ["JWT_SECRET_KEY"]
engine = create_async_engine(URL, pool_size=16, max_overflow=0)
Session = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    avatar_url: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    is_active: Mapped[bool]
    is_verified: Mapped[bool]
    average_rating: Mapped[float]
    reviews_count: Mapped[int]
    completed_tasks: Mapped[int]
    created_at: Mapped[datetime]


class SignIn(Base):
    __tablename__ = "sign_ins"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]


class Listing(Base):
    __tablename__ = "listings"
    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    seller: Mapped[User] = relationship()
    title: Mapped[str]
    description: Mapped[str]
    category: Mapped[str]
    subcategory: Mapped[str | None]
    condition: Mapped[str | None]
    price_minor: Mapped[int]
    currency: Mapped[str]
    location: Mapped[str] = mapped_column(default="")
    location_key: Mapped[str] = mapped_column(default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    images: Mapped[list[str]] = mapped_column(JSON, default=list)
    contact_info: Mapped[str] = mapped_column(default="")
    tags: Mapped[str] = mapped_column(default="")
    listing_type: Mapped[str] = mapped_column(default="sale")
    is_featured: Mapped[bool] = mapped_column(default=False)
    is_negotiable: Mapped[bool] = mapped_column(default=False)
    views_count: Mapped[int] = mapped_column(default=0)
    status: Mapped[str] = mapped_column(default="active")
    version: Mapped[int] = mapped_column(default=1)
    expires_at: Mapped[datetime | None]
    search_text: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


SIMPLE: ColumnElement[str] = literal_column("'simple'::regconfig")
SEARCH_VECTOR: ColumnElement[str] = literal_column("listings.search_vector", TSVECTOR)


class Outbox(Base):
    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)


class SellerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    username: str
    first_name: str
    last_name: str
    avatar_url: str
    city: str
    country: str
    is_verified: bool
    average_rating: float
    reviews_count: int
    created_at: datetime


class ListingOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    title: str
    description: str
    category: str
    subcategory: str | None
    condition: str | None
    price: float
    price_minor: int
    currency: str
    location: str
    latitude: float | None
    longitude: float | None
    seller_id: int
    seller: str
    image_urls: list[str]
    images: str
    contact_info: str
    tags: list[str]
    views_count: int
    listing_type: str
    status: str
    is_featured: bool
    is_negotiable: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    distance: float | None = None


class DetailOut(ListingOut):
    seller_info: SellerOut


class PageOut(BaseModel):
    listings: list[ListingOut]
    total: int
    page: int
    per_page: int


class ListingIn(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(min_length=1, max_length=20_000)]
    price: Annotated[Decimal, Field(ge=0, le=10**12, decimal_places=2)]
    category: str
    currency: str = "EUR"
    condition: str | None = None
    location: str = ""
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    images: list[str] = []


async def session() -> AsyncIterator[AsyncSession]:
    async with Session() as open_session:
        yield open_session


Db = Annotated[AsyncSession, Depends(session)]


async def current_user(db: Db, authorization: Annotated[str, Header()]) -> User:
    claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    alive = select(User).join(SignIn, SignIn.user_id == User.id)
    alive = alive.where(SignIn.id == claims["sid"], SignIn.ended_at.is_(None), User.is_active)
    user = await db.scalar(alive.where(User.id == int(claims["sub"])))
    if user is None:
        raise HTTPException(401)
    return user


def fields(listing: Listing, seller: User, distance: float | None = None) -> dict[str, Any]:
    return {
        **{name: getattr(listing, name) for name in ListingOut.model_fields if name in Listing.__table__.c},
        "price": listing.price_minor / 100,
        "seller": seller.username,
        "image_urls": listing.images,
        "images": ",".join(listing.images),
        "tags": [tag for tag in listing.tags.split(",") if tag],
        "distance": None if distance is None else round(distance, 2),
    }


@app.get("/api/listings", response_model=PageOut)
async def browse(
    db: Db,
    latitude: Annotated[float | None, Query(ge=-90, le=90)] = None,
    longitude: Annotated[float | None, Query(ge=-180, le=180)] = None,
    q: Annotated[str | None, Query(max_length=500)] = None,
    radius: float = 10,
    category: str = "other",
    page: int = 1,
    per_page: int = 20,
) -> PageOut:
    if q is not None:
        return await search(db, q, page, per_page)
    if latitude is None or longitude is None:
        raise HTTPException(422)
    height = math.degrees(radius / 6371.0088)
    width = height / math.cos(math.radians(latitude))
    half_lat = func.sin(func.radians(Listing.latitude - latitude) * 0.5)
    half_lng = func.sin(func.radians(Listing.longitude - longitude) * 0.5)
    across = func.cos(func.radians(latitude)) * func.cos(func.radians(Listing.latitude))
    distance = 2 * 6371.0088 * func.asin(func.sqrt(half_lat * half_lat + across * half_lng * half_lng), type_=Float)
    conditions = (
        Listing.category == category,
        Listing.status == "active",
        Listing.latitude.between(latitude - height, latitude + height),
        Listing.longitude.between(longitude - width, longitude + width),
        distance <= radius,
    )
    total = await db.scalar(select(func.count()).select_from(Listing).where(*conditions))
    rows = await db.execute(
        select(Listing, distance.label("distance"))
        .options(joinedload(Listing.seller))
        .where(*conditions)
        .order_by(distance, Listing.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    found = [ListingOut(**fields(listing, listing.seller, away)) for listing, away in rows.all()]
    return PageOut(listings=found, total=total or 0, page=page, per_page=per_page)


async def search(db: AsyncSession, q: str, page: int, per_page: int) -> PageOut:
    query = func.websearch_to_tsquery(SIMPLE, q)
    conditions = (SEARCH_VECTOR.op("@@")(query), Listing.status == "active")
    total = await db.scalar(select(func.count()).select_from(Listing).where(*conditions))
    listings = await db.scalars(
        select(Listing)
        .options(joinedload(Listing.seller))
        .where(*conditions)
        .order_by(func.ts_rank(SEARCH_VECTOR, query).desc(), Listing.id)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    found = [ListingOut(**fields(listing, listing.seller)) for listing in listings]
    return PageOut(listings=found, total=total or 0, page=page, per_page=per_page)


@app.get("/api/listings/{listing_id}", response_model=DetailOut)
async def show(db: Db, listing_id: int) -> DetailOut:
    listing = await db.scalar(select(Listing).options(joinedload(Listing.seller)).where(Listing.id == listing_id))
    if listing is None:
        raise HTTPException(404)
    return DetailOut(**fields(listing, listing.seller), seller_info=SellerOut.model_validate(listing.seller))


@app.post("/api/listings", response_model=DetailOut, status_code=201)
async def create(db: Db, data: ListingIn, user: Annotated[User, Depends(current_user)]) -> DetailOut:
    values = data.model_dump(exclude={"price"})
    text = f"{data.title} {data.description}".casefold()
    listing = Listing(**values, price_minor=int(data.price * 100), seller_id=user.id, search_text=text)
    db.add(listing)
    await db.flush()
    now = datetime.now(UTC)
    fact = {"listing_id": listing.id, "seller_id": user.id}
    db.add(Outbox(name="ListingPosted", payload=fact, created_at=now, due_at=now))
    await db.commit()
    return DetailOut(**fields(listing, user), seller_info=SellerOut.model_validate(user))
