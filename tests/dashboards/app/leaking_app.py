"""Serves `leaking_page.py`, with routes that tell an arm too: ``python leaking_app.py PORT``."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from pathlib import Path

import streamlit as st
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOLD = json.loads(os.environ["TOLD"])


async def status(_: Request) -> Response:
    return JSONResponse(
        {"participant": "sub-1a2b3c4d", "engine": TOLD["in an answer"]},
        headers={"X-File": TOLD["in a header"]},
    )


async def everything(_: Request) -> Response:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("participants.tsv", f"participant_id\tarm\nsub-1a2b3c4d\t{TOLD['in an export']}\n")
    return Response(packed.getvalue(), headers={"Content-Disposition": "attachment"})


def main() -> None:
    routes = [Route("/api/staff/status", status), Route("/api/staff/export/all.zip", everything)]
    app = st.App(Path(__file__).with_name("leaking_page.py"), routes=routes)
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
