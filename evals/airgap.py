"""Runs the product where there is no way out and every attempt is counted: ``python -m evals.airgap`` (Linux, root).

A network namespace of its own holds nothing but a loopback, and the kernel counts each packet it found no route for, a
name lookup included. The web server, a talk, the index, a search and grading run in it; exit code 1 when there was one
attempt. One made on purpose at the end proves that the counter works.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

INSIDE = "HUASU_AIRGAP_INSIDE"
PORT = 18501
COUNTERS = (Path("/proc/net/snmp"), Path("/proc/net/snmp6"))
GRADED = '{"id": 1, "scenario": "SC01", "turns": [{"role": "customer", "text": "你谁啊"}, {"role": "manager", "text": "您别急"}]}\n'
TALK = "您别急，慢慢说，我听着。\n再说一句，您先出这口气。\n/结束\n"


def main() -> int:
    """Go inside, run, count."""
    if not os.environ.get(INSIDE):
        inside = ["unshare", "--net", sys.executable, "-m", "evals.airgap"]
        return subprocess.run(inside, env={**os.environ, INSIDE: "1"}, check=False).returncode
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HUASU_", "OPENAI_"))}
        env["HUASU_DATA_DIR"] = folder
        failed = [name for name, worked in _jobs(env) if not worked]
    tried = _tried()
    _send_one()
    works = _tried() > tried
    print(
        f"断网运行：{'全部完成' if not failed else '失败 ' + '、'.join(failed)}；出网尝试 {tried}；计数器{'有效' if works else '无效'}"
    )
    return int(bool(failed or tried or not works))


def _jobs(env: dict[str, str]) -> list[tuple[str, bool]]:
    done = [
        ("建索引", _huasu(env, ["index"])),
        ("检索", _huasu(env, ["search", "征信异议几天答复"])),
        ("评分", _huasu(env, ["grade"], GRADED)),
        ("对练", _huasu(env, ["chat", "SC01", "--seed", "1"], TALK)),
    ]
    return [*done, ("网页", _page(env))]


def _huasu(env: dict[str, str], arguments: Sequence[str], typed: str = "") -> bool:
    command = [sys.executable, "-m", "bot.cli", *arguments]
    return (
        subprocess.run(command, env=env, input=typed, text=True, stdout=subprocess.DEVNULL, check=False).returncode == 0
    )


def _page(env: dict[str, str]) -> bool:
    """Whether the web server comes up, is ready and gives its page."""
    command = [sys.executable, "-m", "bot.cli", "serve", "--headless", "--port", str(PORT)]
    server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        for _ in range(360):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{PORT}/ready", timeout=5) as answer:
                if answer.status == 200:
                    return bool(urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=10).status == 200)
            time.sleep(0.5)
        return False
    finally:
        server.terminate()
        server.wait(40)


def _tried() -> int:
    """How many packets had nowhere to go, IPv4 and IPv6."""
    v4, v6 = (path.read_text() if path.exists() else "" for path in COUNTERS)
    names, values = (line.split() for line in v4.splitlines() if line.startswith("Ip:"))
    six = sum(int(line.split()[1]) for line in v6.splitlines() if line.startswith("Ip6OutNoRoutes"))
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + six


def _send_one() -> None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"out", ("203.0.113.1", 9))


if __name__ == "__main__":
    sys.exit(main())
