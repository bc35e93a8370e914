"""The configuration: what is shipped is right, and every mistake of a wrong one is named at once, without a secret."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from policyfeed.app import bounds, manner
from policyfeed.config import Config, find_folder, load, publication, shipped
from policyfeed.config.doubts import doubts
from policyfeed.errors import ConfigErrors, Forbidden
from policyfeed.formats import Publication
from policyfeed.i18n import translator
from policyfeed.sources import hidden, revealed
from policyfeed.transport.urls import take_apart
from policyfeed.types import Document, Request, Secret, Source
from tests.alerts import NOW

SECRET = "moonlit-otter-" + "7f3a9"
RSS, PAGE = "https://a.example/rss", "https://a.example/news"
HOOK = f"https://hooks.example.org/services/{SECRET}"


class Folder:
    """A user's configuration folder: only the files that differ from what is shipped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ: dict[str, str] = {}

    def write(self, name: str, text: str) -> Folder:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self

    def load(self) -> Config:
        return load(self.path, self.environ)

    def mistakes(self) -> list[str]:
        """Every mistake's text. None of them shows the secret."""
        with pytest.raises(ConfigErrors) as caught:
            self.load()
        said = [str(mistake) for mistake in caught.value.mistakes]
        assert SECRET not in "\n".join([*said, repr(caught.value), *(repr(one.facts) for one in caught.value.mistakes)])
        assert all(mistake.remedy for mistake in caught.value.mistakes)
        return said

    def mistake(self) -> str:
        (said,) = self.mistakes()
        return said


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "config")
    made.path.mkdir()
    return made


def test_what_is_shipped_is_right() -> None:
    config = load(shipped(), {})
    assert {source.kind for source in config.sources} >= {"feed", "korea_kr"}
    assert {"esg", "environment", "social", "governance", "alerts", "all"} <= {feed.name for feed in config.feeds}
    assert config.channels == ()
    assert set(config.silent) >= {"slack", "webhook"}
    known = {one.id for one in config.ministries}
    assert all(source.ministry in known for source in config.sources if source.ministry)
    assert len({feed.id for feed in config.feeds}) == len(config.feeds)
    assert ("korea-press", "korea_kr") in [(source.id, source.kind) for source in config.sources]


def test_shipped_channels_are_on_when_their_variables_are_set() -> None:
    environ = {
        "POLICYFEED_SLACK_URL": "https://hooks.slack.com/services/T0/B0/x",
        "POLICYFEED_WEBHOOK_URL": "https://example.org/hook",
        "POLICYFEED_WEBHOOK_SECRET": "whsec_" + "cG9saWN5ZmVlZC1leGFtcGxlLXNlY3JldC1rZXk=",
    }
    config = load(shipped(), environ)
    assert {channel.name for channel in config.channels} >= {"slack", "webhook"}
    assert all(channel.selection.kept_only for channel in config.channels)
    assert {channel.topic_names["E1"] for channel in config.channels} == {"기후변화·온실가스·탄소중립"}
    assert "whsec_" not in repr(config.channels)


def test_a_missing_secret_is_named_with_its_variable() -> None:
    with pytest.raises(ConfigErrors) as caught:
        load(shipped(), {"POLICYFEED_WEBHOOK_URL": "https://example.org/hook"})
    (mistake,) = caught.value.mistakes
    assert "POLICYFEED_WEBHOOK_SECRET" in str(mistake)
    assert "channels.toml" in str(mistake)


def test_an_empty_folder_is_the_shipped_configuration(folder: Folder) -> None:
    config = folder.load()
    assert [source.id for source in config.sources] == [source.id for source in load(shipped(), {}).sources]
    assert config.folder == folder.path


def test_one_file_replaces_one_file(folder: Folder) -> None:
    folder.write(
        "feeds.toml", '[[feed]]\nname = "mine"\ntitle = "내 피드"\nselect = { ministries = ["mcee"], words = ["녹조"] }'
    )
    config = folder.load()
    assert [feed.name for feed in config.feeds] == ["mine"]
    assert config.feeds[0].selection.ministries == ("mcee",)
    assert len(config.sources) == len(load(shipped(), {}).sources)


def test_what_has_no_language_of_its_own_has_that_of_the_service(folder: Folder) -> None:
    folder.environ["HOOK"] = HOOK
    feed, channel = '[[feed]]\ntitle = "A"\n', '[[channel]]\nkind = "slack"\nurl = "env:HOOK"\n'
    for name, table in (("feeds", feed), ("channels", channel)):
        own = "".join(f'{table}name = "{one}"\nlanguage = "{one}"\n' for one in ("ko", "en"))
        folder.write(f"{name}.toml", f'{table}name = "plain"\n{own}')
    for service in ("ko", "en"):
        config = folder.write("policyfeed.toml", f'[service]\nlanguage = "{service}"\n').load()
        assert [one.language for one in config.feeds] == [service, "ko", "en"]
        assert [one.language for one in config.channels] == [service, "ko", "en"]
        assert config.feeds[0].topic_names == config.rules.names(service)
    assert {one.language for one in load(shipped(), {}).feeds} == {"ko"}


def test_every_mistake_of_a_file_is_named_at_once(folder: Folder) -> None:
    folder.environ = {"HOOK": HOOK}
    folder.write("policyfeed.toml", "[polling]\nper_host = 0\n[web]\nfeedbak = true\n")
    folder.write(
        "sources/own.toml",
        source(id='"one"', timezone='"Seoul"', ministry='"mceee"', options="{ dat_only = true }")
        + source(id='"two"', url="", kind='"page"')
        + source(id='"three"', kind='"page"', options='{ item = "td:nth-child(", link = "a" }')
        + source(id='"one"'),
    )
    folder.write(
        "feeds.toml", '[[feed]]\nname = "a"\nlimit = 0\ntitle = "x"\nselect = { topics = ["E99"], wordz = [] }\n' * 2
    )
    folder.write(
        "channels.toml",
        channel(name='"hook"', kind='"webhook"', per_second="0") + channel(name='"slack"', url='"https://x"'),
    )
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    assert [str(one.facts["key"]) for one in caught.value.mistakes] == [
        *("web.feedbak", "polling.per_host"),
        *("source.one.timezone", "source.two.url"),
        *("source.one.options.dat_only", "source.one.ministry"),
        *("source.three.options.title", "source.three.options.item", "source.one"),
        *["feed.a.limit", "feed.a.select.wordz"] * 2,
        *("feed.a", *["feed.a.select.topics"] * 2),
        *("channel.hook.per_second", "channel.hook.secrets.secret", "channel.slack.url"),
    ]


def test_a_secret_that_is_missing_is_named_once_where_it_belongs(folder: Folder) -> None:
    folder.environ = {"HOOK": HOOK}
    place = f"{folder.path / 'channels.toml'}: channel.team.secrets.secret"
    folder.write("channels.toml", channel(kind='"webhook"'))
    assert folder.mistake() == f"{place} is missing. Add it."
    folder.write("channels.toml", channel(kind='"webhook"', secrets='{ secret = "env:HUSH" }'))
    assert folder.mistake().startswith(f"{place} needs the environment variable HUSH.")
    folder.environ["HUSH"] = SECRET
    said = folder.mistake()
    assert said.startswith(f"{folder.path / 'channels.toml'}: The secret of channel team (from env:HUSH) is not")


def test_a_feeds_id_is_permanent(folder: Folder) -> None:
    text = '[[feed]]\nname = "esg"\ntitle = "{}"\n'
    first = folder.write("feeds.toml", text.format("가")).load().feeds[0].id
    assert folder.write("feeds.toml", text.format("나")).load().feeds[0].id == first
    assert load(shipped(), {}).feeds[0].id == first
    assert (
        folder.write("feeds.toml", text.format("가") + 'id = "tag:a.go.kr,2026:x"').load().feeds[0].id
        == "tag:a.go.kr,2026:x"
    )


def test_corrections_are_a_channels_wish_and_no_feeds(folder: Folder) -> None:
    text = '[[feed]]\nname = "mine"\ntitle = "x"\nselect = { revisions = true }\n'
    assert "feed.mine.select.revisions" in folder.write("feeds.toml", text).mistake()


def test_five_mistakes_are_five_mistakes(folder: Folder) -> None:
    folder.write("policyfeed.toml", '[service]\nlanguage = "jp"\n[polling]\npoll_per_day = 3\n')
    folder.write(
        "sources/own.toml", '[[source]]\nid = "a"\nkind = "fead"\nurl = "https://a.go.kr/rss"\nministry = "mcee"\n'
    )
    folder.write("feeds.toml", '[[feed]]\nname = "mine"\ntitle = "x"\nselect = { ministries = ["mceee"] }\n')
    folder.write("channels.toml", f'[[channel]]\nname = "team"\nkind = "slack"\nurl = "{HOOK}"\n')
    said = folder.mistakes()
    assert len(said) == 5
    for file, key, hint in (
        ("policyfeed.toml", "service.language", "it must be one of 'ko', 'en'"),
        ("policyfeed.toml", "polling.poll_per_day", "polls_per_day"),
        ("own.toml", "source.a.kind", "feed"),
        ("feeds.toml", "feed.mine.select.ministries", "mcee"),
        ("channels.toml", "channel.team.url", "env:NAME"),
    ):
        assert [one for one in said if file in one and key in one and hint in one], (file, key, said)


@pytest.mark.parametrize("text", ["[[source]\n", 'id = "a', "=", "[service]\nlanguage = ko\n", "\x00"])
def test_what_is_no_toml_is_said_with_its_line(folder: Folder, text: str) -> None:
    said = folder.write("sources/own.toml", text).mistake()
    assert "own.toml" in said
    assert "not TOML" in said
    assert "line" in said or "invalid" in said.lower()


def test_what_is_no_utf8_is_said(folder: Folder) -> None:
    (folder.path / "feeds.toml").write_bytes("[[feed]]\nname='a'\ntitle='똠'\n".encode("cp949"))
    assert "UTF-8" in folder.mistake()


def test_a_file_that_is_nested_too_deeply_is_said(folder: Folder) -> None:
    assert "nested too deeply" in folder.write("feeds.toml", f"feed = {'[' * 5000}{']' * 5000}").mistake()


def test_a_byte_order_mark_is_no_mistake(folder: Folder) -> None:
    (folder.path / "policyfeed.toml").write_text("[polling]\nper_host = 3\n", encoding="utf-8-sig")
    assert folder.load().settings.polling.per_host == 3


def test_a_folder_in_a_files_place_is_said(folder: Folder) -> None:
    (folder.path / "feeds.toml").mkdir()
    assert "feeds.toml" in folder.mistake()


def test_a_folder_that_went_missing_is_not_replaced_by_the_shipped_one(folder: Folder) -> None:
    folder.path.rename(folder.path.with_name("away"))
    assert str(folder.path) in folder.mistake()
    folder.path.write_text("")
    assert "Not a directory" in folder.mistake()


@pytest.mark.parametrize("name", ["channels.toml", "policyfeed.toml", "sources", "topics"])
@pytest.mark.parametrize("target", ["nowhere", "{name}"])
def test_a_broken_link_is_not_replaced_by_what_is_shipped(folder: Folder, name: str, target: str) -> None:
    (folder.path / name).symlink_to(target.format(name=name))
    assert str(folder.path / name) in folder.mistake()


def test_a_broken_link_is_not_passed_over_when_nothing_is_given(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "policyfeed.toml").symlink_to("nowhere")
    assert find_folder(None, tmp_path) == tmp_path / "config"


def test_sources_that_cannot_be_listed_are_said(folder: Folder) -> None:
    folder.write("sources", "")
    assert f"{folder.path / 'sources'} cannot be listed: Not a directory." in folder.mistake()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("feed.toml", "feeds.toml"),
        ("channel.toml", "channels.toml"),
        ("Feeds.toml", "feeds.toml"),
        ("sources.toml", "sources"),
        ("source/own.toml", "sources"),
        ("topic/own.toml", "topics"),
        ("feeds/own.toml", "feeds.toml"),
    ],
)
def test_a_misspelt_file_is_named_with_what_was_meant(folder: Folder, name: str, near: str) -> None:
    said = folder.write(name, "").mistake()
    assert str(folder.path / Path(name).parts[0]) in said
    assert near in said


def test_other_things_may_lie_in_the_folder(folder: Folder) -> None:
    for name in (
        "policyfeed.env",
        "README.md",
        "source",
        "feeds.toml~",
        "pyproject.toml",
        "docs/a.toml",
        "certs/a.pem",
        ".git/a.toml",
    ):
        folder.write(name, "x")
    folder.write(".feed.toml", "x").load()


def test_a_broken_list_of_ministries_is_one_mistake(folder: Folder) -> None:
    assert "ministries.toml" in folder.write("ministries.toml", "[[ministry]\n").mistake()


@pytest.mark.parametrize(
    ("ministries", "key"),
    [
        ('[[ministry]]\nid = "a"\nnames = [{ ko = "가" }]\n' * 2, "ministry.a is there twice"),
        ('[[ministry]]\nid = "a"\nnames = []\n', "ministry.a.names"),
        ('[[ministry]]\nid = "a"\nnames = [{ ko = "가", since = "2025.10.01" }]\n', "since"),
        ('[[ministry]]\nid = "A B"\nnames = [{ ko = "가" }]\n', "id"),
    ],
)
def test_mistakes_in_ministries(folder: Folder, ministries: str, key: str) -> None:
    shutil.copytree(Path(__file__).parents[1] / "cases" / "topics", folder.path / "topics")
    folder.write("sources/none.toml", "").write("feeds.toml", "").write("ministries.toml", ministries)
    assert key in folder.mistake()


def source(**changes: str) -> str:
    table = {"id": '"a"', "kind": '"feed"', "url": '"https://a.go.kr/rss"', **changes}
    return "[[source]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items() if value)


@pytest.mark.parametrize(
    ("table", "hints"),
    [
        (source(kind='"korea-kr"'), ("source.a.kind", "korea_kr")),
        (source(url='"a.go.kr/rss"'), ("source.a.url", "https://")),
        (source(url='"https://"'), ("source.a.url", "no host")),
        (source(url=""), ("source.a.url", "missing")),
        (source(ministry='"mceee"'), ("source.a.ministry", "mcee")),
        (source(timezone='"Seoul"'), ("source.a.timezone", "Asia/Seoul")),
        (source(timezone='"Asia"'), ("source.a.timezone", "Asia/Seoul")),
        (source(encoding='"euckorean"'), ("source.a.encoding", "euc-kr")),
        (source(article_kind='"news"'), ("source.a.article_kind", "press_release")),
        (source(interval_minutes="0"), ("source.a.interval_minutes", "1")),
        (source(intervall_minutes="5"), ("source.a.intervall_minutes", "interval_minutes")),
        (source(least_minutes="30", most_minutes="20"), ("source.a.most_minutes", "least_minutes")),
        (source(method='"PUT"'), ("source.a.method", "POST")),
        (source(id='"두 단어"'), ("id", "pattern")),
        (source() * 2, ("source.a", "twice")),
    ],
)
def test_mistakes_in_sources(folder: Folder, table: str, hints: tuple[str, ...]) -> None:
    said = folder.write("sources/own.toml", table).mistake()
    assert all(hint in said for hint in ("own.toml", *hints)), said


KEYED = "https://apis.example.go.kr/rss?serviceKey={}&row=50"


def test_a_key_has_its_place_in_an_address_and_is_read_from_elsewhere(folder: Folder) -> None:
    folder.environ["KEY"] = SECRET
    folder.write("sources/own.toml", source(url=f'"{KEYED.format("{key}")}"', options='{ key = "env:KEY" }'))
    config = folder.load()
    (one,) = config.sources
    assert revealed(one, Request(url=one.url)).url == KEYED.format(SECRET)
    assert publication(one) == Publication(name="a", url="", feed=""), "nobody can follow it"
    assert SECRET not in repr(config)
    assert list(doubts(config)) == []
    folder.environ.clear()
    assert not folder.load().sources[0].enabled
    folder.write("sources/own.toml", source(url=f'"{KEYED.format("{key}")}"'))
    assert "source.a.options.key is missing" in folder.mistake()


def test_a_key_may_stand_in_a_header(folder: Folder) -> None:
    folder.environ["KEY"] = SECRET
    headers = '{ Authorization = "Bearer {key}" }'
    folder.write("sources/own.toml", source(headers=headers, options='{ key = "env:KEY" }'))
    (one,) = folder.load().sources
    assert revealed(one, Request(url=one.url, headers=one.headers)).headers == (("Authorization", f"Bearer {SECRET}"),)
    assert SECRET not in repr(one)
    folder.write("sources/own.toml", source(headers=headers))
    assert "source.a.options.key is missing" in folder.mistake()


@pytest.mark.parametrize("name", ["serviceKey", "KEY", "crtfc_key", "access_token", "password"])
def test_a_key_that_was_written_into_an_address_is_shown_nowhere(folder: Folder, name: str) -> None:
    address = f"https://apis.example.go.kr/rss?row=50&{name}={SECRET}"
    config = folder.write("sources/own.toml", source(url=f'"{address}"')).load()
    (one,) = config.sources
    assert revealed(one, Request(url=one.url)).url == address, "it is asked as before"
    assert SECRET not in repr(config)
    assert publication(one).feed == ""
    (doubt,) = doubts(config)
    assert f"({name})" in str(doubt)
    assert "Write {key} in its place, and env:NAME" in str(doubt)
    folder.write(
        "sources/own.toml", source(url=f'"{address}"', least_minutes="0") + source(id='"b"', url=f'"x{address}"')
    )
    assert len(folder.mistakes()) == 2


def test_a_key_that_was_written_into_an_address_is_sent_byte_for_byte(folder: Folder) -> None:
    address = "https://apis.example.go.kr/rss?token=a+b%2fc/d%2B=e"
    (one,) = folder.write("sources/own.toml", source(url=f'"{address}"')).load().sources
    assert revealed(one, Request(url=one.url)).url == address
    for written in ("a+b%2fc/d%2B=e", "a%2Bb%2Fc%2Fd%2B%3De", "a+b/c/d+=e"):
        gone = Document(url=f"https://b.example.go.kr/?t={written}", status=200, body=b"", fetched=NOW)
        assert hidden(one, gone).url == "https://b.example.go.kr/?t=%7Btoken%7D"


@pytest.mark.parametrize(
    "query", ["searchKey=title-and-text", "key=rss", "key=%7Bkey%7D", "bbsId=BBS_000000000028&tokens"]
)
def test_other_parts_of_an_address_stay_as_they_are(folder: Folder, query: str) -> None:
    address = f"https://a.go.kr/rss?{query}"
    (one,) = folder.write("sources/own.toml", source(url=f'"{address}"')).load().sources
    assert (one.url, publication(one).feed) == (address, address)


def test_a_mistake_in_a_kinds_options_names_the_file(folder: Folder) -> None:
    folder.write(
        "sources/own.toml", source(kind='"page"', options='{ item = "li", title = "a", link = "a", without = 5 }')
    )
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    (mistake,) = caught.value.mistakes
    file = folder.path / "sources" / "own.toml"
    assert str(mistake) == f"{file}: source.a.options.without is 5: it must be a text in quotes. Correct it."
    assert "source.a.options.without의 값이 5입니다" in mistake.text(translator("ko"))


PAGE = 'item = "li", title = "a", link = "a"'


@pytest.mark.parametrize(
    ("kind", "options", "hints"),
    [
        ("korea_kr", 'overlap_days = "three"', ("overlap_days", "without quotes")),
        ("korea_kr", "overlap_days = 0", ("overlap_days", "at least 1")),
        ("korea_kr", "overlap_days = 1000000000", ("overlap_days", "at most 31")),
        ("korea_kr", "overlap_days = true", ("overlap_days", "number")),
        ("korea_kr", "sweep_hours = nan", ("sweep_hours", "not nan")),
        ("korea_kr", "sweep_hours = inf", ("sweep_hours", "")),
        ("korea_kr", "nonsense = 1", ("nonsense", "Remove it")),
        ("korea_kr", "rep_code = 31", ("rep_code", "text in quotes")),
        ("feed", "date_onli = true", ("date_onli", "Did you mean `date_only`?")),
        ("feed", "page_start = 1.5", ("page_start", "number")),
        ("page", f'{PAGE}, dat = "td"', ("dat", "Did you mean `date`?")),
        ("page", f'{PAGE}, date_patern = "x"', ("date_patern", "Did you mean `date_pattern`?")),
        ("page", f'{PAGE}, pages = "3"', ("pages", "without quotes")),
        ("page", 'item = 7, title = "a", link = "a"', ("item", "text in quotes")),
        ("page", "title = 'a', link = 'a'", ("item", "missing")),
        ("json", 'title = "t", link = "u", attribution = 5', ("attribution", "text in quotes")),
        ("data_go_kr", f'key = ["{SECRET}"]', ("key", "text in quotes")),
    ],
)
def test_a_kind_takes_the_options_that_it_declares(
    folder: Folder, kind: str, options: str, hints: tuple[str, str]
) -> None:
    said = folder.write("sources/own.toml", source(kind=f'"{kind}"', options=f"{{ {options} }}")).mistake()
    name, hint = hints
    assert f"options.{name} " in said
    assert hint in said


@pytest.mark.parametrize("name", ["기후에너지환경부", "환경부", "기후부"])
def test_a_ministry_by_name_is_answered_with_its_id(folder: Folder, name: str) -> None:
    (listed,) = folder.write("sources/own.toml", source(ministry=f'"{name}"')).mistakes()
    assert listed.endswith(f"source.a.ministry {name!r} is not known. Did you mean 'mcee'?")
    (folder.path / "sources" / "own.toml").unlink()
    (folder.path / "sources").rmdir()
    feed = f'[[feed]]\nname = "a"\ntitle = "A"\nselect = {{ ministries = ["{name}"] }}\n'
    assert (
        f"select.ministries {name!r} is not known. Did you mean 'mcee'?" in folder.write("feeds.toml", feed).mistake()
    )


def test_the_options_of_a_channel_are_its_kinds_too(folder: Folder) -> None:
    folder.environ = {"HOOK": HOOK}
    said = folder.write("channels.toml", channel(options=f'{{ color = "{SECRET}" }}')).mistake()
    assert "channels.toml: channel.team.options.color is not a known key." in said


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "https://intranet.example.kr/", " "])
def test_a_host_that_is_none_is_said(folder: Folder, entry: str) -> None:
    said = folder.write("policyfeed.toml", f'[network]\nallow = ["a.kr", "{entry}"]\n').mistake()
    assert "policyfeed.toml: network.allow.1: " in said
    assert "10.0.0.0/8" in said


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://www.korea.kr/rss/dept_me.xml", "2026-07-01"),
        ("http://korea.kr/etc/rss.do", "2026-07-01"),
        ("https://www.me.go.kr/home/web/board/rss.do?menuId=286", "기후에너지환경부"),
        ("https://apis.data.go.kr/1371000/pressReleaseService/pressReleaseList", "retired"),
    ],
)
def test_a_dead_address_is_recognised(folder: Folder, url: str, hint: str) -> None:
    assert hint in folder.write("sources/own.toml", source(url=f'"{url}"')).mistake()


@pytest.mark.parametrize(
    ("select", "key"),
    [
        ('ministries = ["nobody"]', "ministries"),
        ('topics = ["E99"]', "topics"),
        ('pillars = ["X"]', "pillars"),
        ('kinds = ["gossip"]', "kinds"),
        ("min_score = 101", "min_score"),
        ('wordz = ["x"]', "wordz"),
    ],
)
def test_a_selection_names_what_is_known(folder: Folder, select: str, key: str) -> None:
    said = folder.write("feeds.toml", f'[[feed]]\nname = "mine"\ntitle = "x"\nselect = {{ {select} }}\n').mistake()
    assert f"feed.mine.select.{key}" in said


def test_two_feeds_of_one_name(folder: Folder) -> None:
    assert "feed.a is there twice" in folder.write("feeds.toml", '[[feed]]\nname = "a"\ntitle = "x"\n' * 2).mistake()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("title", '""', "feed.a.title is '': it must not be empty"),
        ("title", '" "', "it must not be empty"),
        ("title", '"가\\u0007"', "control character"),
        ("subtitle", '"\\uffff"', "control character"),
        ("id", '"my feed"', "must begin with a scheme"),
        ("id", '"urn:x\\u0000"', "control character"),
    ],
)
def test_what_no_feed_can_hold_is_a_mistake(folder: Folder, key: str, value: str, said: str) -> None:
    table = {"name": '"a"', "title": '"가"', key: value}
    lines = "".join(f"{name} = {given}\n" for name, given in table.items())
    assert said in folder.write("feeds.toml", f"[[feed]]\n{lines}").mistake()


def test_two_feeds_of_one_id(folder: Folder) -> None:
    tables = "".join(f'[[feed]]\nname = "{name}"\ntitle = "x"\nid = "urn:x:1"\n' for name in "ab")
    said = folder.write("feeds.toml", tables + '[[feed]]\nname = "c"\ntitle = "x"\n[[feed]]\nname = "d"\ntitle = "x"\n')
    assert [one.split(":")[1].strip() for one in said.mistakes()] == [
        f"feed.{name}.id is there twice. Give each feed an id of its own." for name in "ab"
    ]


def channel(**changes: str) -> str:
    table = {"name": '"team"', "kind": '"slack"', "url": '"env:HOOK"', **changes}
    return "[[channel]]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())


@pytest.mark.parametrize(
    ("table", "key"),
    [
        (channel(url=f'"{HOOK}"'), "channel.team.url"),
        (channel(url=f'["{HOOK}"]'), "channel.team.url"),
        (channel(url=f'{{ x = "{HOOK}" }}'), "channel.team.url"),
        (channel(kind='"webhook"', secrets=f'"{SECRET}"'), "channel.team.secrets"),
        (channel(kind='"webhook"', secrets=f'{{ secret = "{SECRET}" }}'), "secret"),
        (channel(kind='"webhook"', secrets=f'{{ secret = ["{SECRET}"] }}'), "channel.team.secrets.secret"),
        (channel(kind='"webhook"'), "channel.team.secrets.secret"),
        (channel(url='"env:"'), "channel.team.url"),
        (channel(url='"file:/nowhere/at/all"'), "channel.team.url"),
        (channel(kind='"carrier-pigeon"'), "channel.team.kind"),
        (channel(name='"두 단어"'), "name"),
        (f'channel = "{HOOK}"\n', "channel"),
    ],
)
def test_mistakes_in_channels_show_no_secret(folder: Folder, table: str, key: str) -> None:
    folder.environ = {"HOOK": HOOK}
    assert key in folder.write("channels.toml", table).mistakes()[0]


def test_an_address_from_the_environment_that_is_none_is_not_shown(folder: Folder) -> None:
    folder.environ = {"HOOK": f"hooks/{SECRET}"}
    assert "env:HOOK" in folder.write("channels.toml", channel()).mistake()


@pytest.mark.parametrize(
    "address",
    [
        f"https://team:{SECRET}@hooks.example.org/x",
        f"https://hooks.example.org:99999/{SECRET}",
        f"https://hooks.example.org:0/{SECRET}",
        f"https://hooks..example.org/{SECRET}",
        f"https://hooks\\example.org/{SECRET}",
        f"https://hooks%2eexample.org/{SECRET}",
        f"https://hooks.example.org/x\n{SECRET}",
        f"https://hooks.example.org/\x7f{SECRET}",
        f"https://{'a' * 64}.org/{SECRET}",
    ],
)
def test_what_the_transport_refuses_is_refused_when_it_is_read(folder: Folder, address: str) -> None:
    with pytest.raises(Forbidden):
        take_apart(address)
    folder.environ = {"HOOK": address}
    assert "env:HOOK" in folder.write("channels.toml", channel()).mistake()
    folder.write("channels.toml", "").write("sources/own.toml", source(url=json.dumps(address)))
    assert "source.a.url" in folder.mistake()


def test_two_addresses_in_one_variable_are_a_mistake(folder: Folder) -> None:
    folder.environ = {"HOOK": f"{HOOK} {HOOK}"}
    assert "env:HOOK" in folder.write("channels.toml", channel()).mistake()


@pytest.mark.parametrize(
    "address",
    [HOOK, "https://훅.example.kr:8443/길", "HTTP://[2001:db8::1]:80/x?y={z}#t", "https://hooks.example.org."],
)
def test_an_address_that_the_transport_takes_is_right(folder: Folder, address: str) -> None:
    take_apart(address)
    folder.environ = {"HOOK": address}
    assert folder.write("channels.toml", channel()).load().channels[0].url == Secret(address)


def test_a_variables_line_break_is_no_part_of_the_secret(folder: Folder) -> None:
    folder.environ = {"HOOK": f" {HOOK}\r\n"}
    assert folder.write("channels.toml", channel()).load().channels[0].url == Secret(HOOK)
    folder.environ = {"HOOK": "\n"}
    assert folder.load().silent == ("team",)


def test_a_proxys_password_is_not_shown(folder: Folder) -> None:
    table = source(proxy=f'"user:{SECRET}@proxy:3128"', headers=f'{{ Authorization = ["{SECRET}"] }}')
    assert len(folder.write("sources/own.toml", table).mistakes()) == 2


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (f"Cookie = '{SECRET}'", "Cookie itself"),
        ("accept-encoding = 'br'", "accept-encoding itself"),
        (f"'X Key' = '{SECRET}'", "HTTP takes no header"),
        (f"'X:' = '{SECRET}'", "HTTP takes no header"),
        (f"'' = '{SECRET}'", "HTTP takes no header"),
        (f'X-Key = "{SECRET}\\r\\nHost: other"', "HTTP takes no header"),
    ],
)
def test_a_header_that_would_not_go_out_is_a_mistake(folder: Folder, header: str, said: str) -> None:
    table = source(headers=f"{{ {header} }}")
    mistake = folder.write("sources/own.toml", table).mistake()
    assert said in mistake
    assert "source.a.headers" in mistake
    assert SECRET not in mistake


def test_headers_hold_what_http_takes(folder: Folder) -> None:
    headers = {
        "X-Requested-With": "XMLHttpRequest",
        "x_y": "",
        "Referer": "https://example.kr/?q=탄소 중립",
        "T": "a\t1",
    }
    told = ", ".join(f'{name} = " {value}\t"' for name, value in headers.items())
    (made,) = folder.write("sources/own.toml", source(headers=f"{{ {told} }}")).load().sources
    assert dict(made.headers) == headers


def test_a_source_may_do_without_the_environments_proxy(folder: Folder) -> None:
    config = folder.write("sources/own.toml", source(proxy='""') + source(id='"b"')).load()
    assert [manner(one).proxy for one in config.sources] == ["", None]


@pytest.mark.parametrize("address", [f"http://user:{SECRET}@proxy:none", f"http://user:{SECRET}@:3128", "http://[::1"])
def test_a_proxy_that_no_request_could_go_through_is_a_mistake(folder: Folder, address: str) -> None:
    assert "source.a.proxy" in folder.write("sources/own.toml", source(proxy=f'"{address}"')).mistake()


def test_a_secret_may_stand_in_a_file(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(f"{HOOK}\n", encoding="utf-8-sig")
    (made,) = folder.write("channels.toml", channel(url=f'"file:{tmp_path}/hook"')).load().channels
    assert made.url == Secret(HOOK)
    assert SECRET not in repr(made)
    (tmp_path / "hook").write_text("\n")
    assert "empty file" in folder.mistake()


def test_a_channel_that_is_off_wants_nothing(folder: Folder) -> None:
    config = folder.write("channels.toml", channel(enabled="false", url='"file:/nowhere"')).load()
    assert (config.channels, config.silent) == ((), ())


def test_where_the_configuration_is_looked_for(tmp_path: Path) -> None:
    assert find_folder(None, tmp_path) == shipped()
    (tmp_path / "config").mkdir()
    assert find_folder(None, tmp_path) == shipped()
    main = tmp_path / "config" / "policyfeed.toml"
    main.write_text("")
    assert find_folder(None, tmp_path) == tmp_path / "config"
    assert find_folder(main) == tmp_path / "config"
    assert find_folder(tmp_path) == tmp_path
    (tmp_path / "config" / "my.toml").write_text("")
    for given, said in (("nowhere", "does not exist"), ("config/my.toml", "neither a folder nor a policyfeed.toml")):
        with pytest.raises(ConfigErrors) as caught:
            find_folder(tmp_path / given)
        assert said in str(caught.value.mistakes[0])


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"POLICYFEED_HTTP": "0.0.0.0:9001"}, "http://127.0.0.1:9001"),
        ({"POLICYFEED_HTTP": "[::]:9001"}, "http://[::1]:9001"),
        ({"POLICYFEED_HTTP": ":::9001"}, "http://[::1]:9001"),
        ({"POLICYFEED_HTTP": "[2001:db8::7]:80"}, "http://[2001:db8::7]:80"),
    ],
)
def test_links_lead_to_where_it_serves_when_no_public_address_is_set(environ: dict[str, str], expected: str) -> None:
    assert {feed.base_url for feed in load(shipped(), environ).feeds} == {expected}


def test_a_source_may_have_bounds_of_its_own(folder: Folder) -> None:
    folder.write("policyfeed.toml", "[polling]\nleast_minutes = 10\n")
    folder.write(
        "sources/own.toml",
        source(least_minutes="30", most_minutes="120")
        + source(id='"b"', most_minutes="5")
        + source(id='"c"', least_minutes="2"),
    )
    config = folder.load()
    found = {one.id: bounds(config, one) for one in config.sources}
    minutes = {id_: (found[id_].least.total_seconds() / 60, found[id_].most.total_seconds() / 60) for id_ in "abc"}
    assert minutes == {"a": (30, 120), "b": (10, 10), "c": (2, 1440)}


def test_numbers_are_finite(folder: Folder) -> None:
    folder.write("feeds.toml", '[[feed]]\nname = "a"\ntitle = "가"\nselect = { min_score = nan }\n')
    assert "feed.a.select.min_score is nan: it must not be infinite, and not nan." in folder.mistake()


def test_mistakes_are_whole_sentences_in_korean(folder: Folder) -> None:
    folder.write("policyfeed.toml", "[parsing]\nworkers = 0\n[network]\nallow = 'x'\n")
    table = source(url='"http://www.korea.kr/rss/policy.xml"', article_kind='"news"', method='"PUT"')
    folder.write("sources/own.toml", table)
    with pytest.raises(ConfigErrors) as caught:
        folder.load()
    list_, number, dead, kind, method = (one.text(translator("ko")).partition(": ")[2] for one in caught.value.mistakes)
    assert number == "parsing.workers의 값이 0입니다: 1 이상이어야 합니다. 올바른 값으로 고치세요."
    assert "[ ] 안에 적은 목록이어야 합니다" in list_
    assert "모든 RSS를 중단했습니다. korea-press 출처를 쓰세요" in dead
    assert "'press_release', 'reference'" in kind
    assert kind.endswith("'notice' 가운데 하나여야 합니다. 올바른 값으로 고치세요.")
    assert "'GET', 'POST' 가운데 하나여야 합니다" in method


@pytest.mark.parametrize(
    ("changes", "page", "feed"),
    [
        ({}, "", RSS),
        ({"page": PAGE}, PAGE, RSS),
        ({"kind": "page", "url": PAGE}, PAGE, ""),
        ({"kind": "korea_kr", "url": PAGE}, PAGE, ""),
        ({"kind": "json"}, "", ""),
        ({"kind": "data_go_kr", "page": PAGE}, PAGE, ""),
        ({"method": "POST"}, "", ""),
        ({"method": "POST", "kind": "page"}, "", ""),
    ],
)
def test_readers_are_sent_to_pages_and_feeds_not_to_interfaces(changes: dict[str, Any], page: str, feed: str) -> None:
    source = Source(**{"id": "a", "kind": "feed", "url": RSS, "name": "가", **changes})
    assert publication(source) == Publication(name="가", url=page, feed=feed)
