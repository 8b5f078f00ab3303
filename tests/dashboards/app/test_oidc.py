"""Coming in through an identity provider: it says who somebody is, the record says what they may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Page

from dashboards.server.single_sign_on import vouched_id
from study.access.accounts import Accounts
from study.access.staffing import add_staff
from study.events import Role
from study.founding import Study
from tests.dashboards.app.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.dashboards.app.page_frames import frames_of
from tests.dashboards.app.served import ServedStudy
from tests.dashboards.app.staff import staffed
from tests.dashboards.browser import chromium
from tests.dashboards.short_study import short_study

# The tests share a server and a provider.
BEN = "ben@clinic.example"


@dataclass(frozen=True)
class House:
    """A served study that names a provider."""

    study: Study
    accounts: Accounts
    server: ServedStudy
    provider: IdentityProvider


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    study = short_study(tmp_path_factory.mktemp("oidc") / "study")
    accounts = staffed(study)
    add_staff(study, accounts, "test", BEN, Role.ADMIN, None)
    server = ServedStudy(study.folder.root)
    with IdentityProvider(f"{server.url}/oauth2callback") as provider:
        secrets_file = study.folder.root / ".streamlit" / "secrets.toml"
        secrets_file.parent.mkdir()
        secrets_file.write_text(
            "[auth]\n"
            f'redirect_uri = "{server.url}/oauth2callback"\n'
            'cookie_secret = "thirty-two characters at the least"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{provider.url}/.well-known/openid-configuration"\n'
        )
        with server:
            yield House(study, accounts, server, provider)
    study.record.close()


def ask_the_provider(page: Page, house: House) -> None:
    page.goto(f"{house.server.url}/staff/log-in")
    page.get_by_role("link", name="Log in with your institution").click()
    page.get_by_role("button", name="Go on").click()


@pytest.mark.browser
def test_whoever_the_provider_vouches_for_comes_in_with_the_role_of_the_record(house: House) -> None:
    house.provider.claims = {"email": "Ben@Clinic.example", "email_verified": True}

    with chromium() as browser:
        page = browser.new_page()
        ask_the_provider(page, house)
        page.get_by_role("link", name=f"Go on as {BEN}").click()
        page.get_by_role("button", name="Go on to the study").click()
        page.wait_for_url("**/overview")
        cookies = {c["name"]: c["value"] for c in page.context.cookies()}

    staff = house.accounts.staff_of_session(cookies["isopath_staff"], house.study.record.clock())
    assert staff is not None
    assert (staff.staff_id, staff.role) == (BEN, Role.ADMIN)
    assert not [name for name in cookies if name.startswith("_streamlit_user")], "the word is good once"
    assert [t.staff_id for t in house.accounts.attempts.made() if t.outcome == "accepted"] == [BEN]


@pytest.mark.browser
def test_nobody_else_comes_in(house: House) -> None:
    strangers: dict[str, dict[str, object]] = {
        "has no account": {"email": "mallory@clinic.example", "email_verified": True},
        "is not verified by the provider": {"email": BEN, "email_verified": False},
    }

    with chromium() as browser:
        for why, claims in strangers.items():
            house.provider.claims = claims
            context = browser.new_context()
            page = context.new_page()
            ask_the_provider(page, house)
            page.get_by_text("no account of this study is opened that way").wait_for()
            assert page.get_by_role("link", name=re.compile("Go on as")).count() == 0, why
            cookies = {c["name"]: c["value"] for c in context.cookies()}
            assert "isopath_staff" not in cookies, why
            assert "Please log in" in frames_of(house.server.url, "overview", cookies).text, why
            context.close()


@pytest.mark.parametrize(
    ("claims", "vouched"),
    [
        ({"email": " Ben@Clinic.example ", "email_verified": True}, BEN),
        ({"email": BEN}, BEN),
        ({"email": BEN, "email_verified": False}, None),
        ({"email": BEN, "email_verified": "true"}, None),
        ({"email": ""}, None),
        ({"email": ["a", "b"]}, None),
        ({"preferred_username": BEN}, None),
    ],
)
def test_an_address_is_taken_from_the_claim_for_it_alone_and_not_when_unverified(
    claims: dict[str, object], vouched: str | None
) -> None:
    assert vouched_id(claims) == vouched


def test_a_code_is_not_adopted_from_another_sites_page_nor_twice(house: House) -> None:
    code = house.accounts.issue_code(BEN, house.study.record.clock())
    with httpx.Client(base_url=house.server.url, headers={"origin": house.server.url}) as client:
        page = client.get("/staff/adopt", params={"code": code}).text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
        assert fields["code"] == code

        foreign = client.post("/staff/adopt", data=fields, headers={"origin": "https://evil.example"})
        forged = client.post("/staff/adopt", data=fields | {"form": "0" * 64})
        first = client.post("/staff/adopt", data=fields)
        second = client.post("/staff/adopt", data=fields)

    assert [foreign.status_code, forged.status_code, first.status_code, second.status_code] == [
        403,
        403,
        303,
        403,
    ]


def test_a_forged_word_of_the_provider_is_not_believed(house: House) -> None:
    forged = {"_streamlit_user": "eyJlbWFpbCI6ImJlbkBjbGluaWMuZXhhbXBsZSJ9|1|forged"}

    text = frames_of(house.server.url, "single-sign-on", forged).text

    assert "Go on as" not in text
