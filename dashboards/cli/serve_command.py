"""`isopath serve`: the study app."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dashboards.cli.arguments import StudyArgument, actor_of, opened
from dashboards.cli.passphrases import PassphraseFile, with_seed
from dashboards.cli.placement import DeviceOption, ModelsOption, placement_of
from study.allocation import check_site
from study.errors import refuse
from study.events import ServedInsecurely
from study.founding import Study
from study.record import Draft


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
    app.command(epilog="Example: isopath serve calm-study")(serve)


def serve(
    folder: StudyArgument,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8501,
    tls_cert: Annotated[
        Path | None, typer.Option(help="This server's certificate chain, PEM.", show_default=False)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="The certificate's private key, PEM.", show_default=False)
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS[,ADDRESS]",
            help="A proxy that ends TLS stands in front, at these addresses: its X-Forwarded-Proto and "
            "X-Forwarded-For are believed, and every request must have come by https.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A name browsers call this server by, e.g. study.clinic.org; may be repeated.",
            show_default=False,
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let other machines in without TLS. It is recorded.")
    ] = False,
    kiosk: Annotated[
        bool, typer.Option("--kiosk", help="Every device is a tablet that people share.")
    ] = False,
    device: DeviceOption = "cpu",
    models_dir: ModelsOption = None,
    jobs: Annotated[int, typer.Option(min=1, help="Sessions made at once, each by a process.")] = 1,
    site: Annotated[
        str | None,
        typer.Option(
            help="Whoever is enrolled here belongs to this site of the protocol.", show_default=False
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Serve the study: participants' pages, the researchers' dashboard, sound and its log.

    The study's record is the only state: after a crash, serve it again and everybody
    goes on where they were. Beyond this machine it needs TLS, by its own certificate
    or a proxy's. The passphrase of a sealed allocation seed is asked for once, at the
    start, and the seed is held in memory alone.
    """
    # Streamlit and the web server load only for those who serve.
    from dashboards.server.doors import Doors
    from dashboards.server.one_server import only_server

    proxies = tuple(part.strip() for part in (behind_proxy or "").split(",") if part.strip())
    doors = Doors(host, port, tls_cert, tls_key, proxies, tuple(name or ()), insecure)
    doors.check()
    study = opened(folder)
    check_site(study.protocol.allocation, site)
    study = with_seed(study, passphrase_file)
    placement = placement_of(device, None, models_dir)
    with only_server(study.folder.root):
        study.record.verify()
        _check_texts(study)
        listening = doors.listen()
        if doors.is_served_insecurely:
            study.record.append(actor_of(None), lambda _: [Draft(ServedInsecurely(host))])

        from dashboards.server.application import build_app
        from dashboards.server.live_rendering import LiveRendering
        from dashboards.server.playback_writer import PlaybackWriter
        from dashboards.server.running import run
        from dashboards.server.serving import Served
        from study.access.accounts import accounts_of

        served = Served(
            study,
            doors.is_secure,
            renderer=LiveRendering(study, placement, jobs),
            playback=PlaybackWriter(study),
            accounts=accounts_of(study),
            hosts=doors.hosts,
            proxies=frozenset(doors.proxies),
            is_kiosk=kiosk,
            site=site,
        )
        app = build_app(served)
        _tell(study, doors.url, folder)
        run(app, doors, listening)


def _check_texts(study: Study) -> None:
    from dashboards.texts.catalogue import missing_catalogues

    refuse(missing_catalogues(study.protocol, study.folder.root))


def _tell(study: Study, url: str, folder: Path) -> None:
    typer.echo(f"{study.protocol.title}: {url}\nResearchers: {url}staff/log-in")
    if sys.stdout.isatty():
        typer.echo(f"A person's own link: isopath link {folder} ID --url {url}\nCtrl-C ends it.")
    sys.stdout.flush()
