import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import save

from restora.core.errors import FileProblem, MissingWeights
from restora.weights import fetch as fetching
from restora.weights.fetch import fetch
from restora.weights.public import Public, public_weights
from restora.weights.store import cache_folder, expected_sum, find

DATA = save({"weight": torch.randn(64, 64, generator=torch.Generator().manual_seed(0))})
SUM = hashlib.sha256(DATA).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Gives out DATA, whole or from a byte on; ``stop`` is after how many bytes it breaks off."""

    data, stop, ranges, asked = DATA, None, True, []

    def do_GET(self):
        if self.path != "/net.safetensors":
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        Server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        if start and start >= len(self.data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.data) - start))
        self.end_headers()
        self.wfile.write(self.data[start : self.stop])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    for name, value in {"data": DATA, "stop": None, "ranges": True, "asked": []}.items():
        monkeypatch.setattr(Server, name, value)
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    running = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/"
    running.shutdown()
    thread.join()
    running.server_close()


def row(server, name="net", sha256=SUM, file="net.safetensors"):
    return Public(
        name=name,
        architecture="dncnn",
        url=server + file,
        source="someone/something",
        licence="MIT",
        task="denoising",
        sha256=sha256,
    )


@pytest.fixture
def listed(server, monkeypatch):
    """The rows that the table has in the test."""

    def put(*rows):
        monkeypatch.setattr("restora.weights.store.public_weights", lambda: rows)
        return rows[0]

    return put


def files():
    return sorted(path.name for path in cache_folder().iterdir())


def test_a_file_is_fetched_checked_and_found(server, listed):
    notes = []
    public = listed(row(server))
    fetched = fetch(public, lambda done, total, note="": notes.append((done, total)))
    assert fetched.path.read_bytes() == DATA
    assert (fetched.bytes, fetched.sha256, fetched.checked, fetched.already) == (len(DATA), SUM, True, False)
    assert notes[-1] == (len(DATA), len(DATA))
    assert find("net") == fetched.path
    assert files() == ["net.safetensors"]
    assert fetch(public).already
    assert Server.asked == [None]


def test_it_goes_on_where_the_connection_broke(server, listed, monkeypatch):
    public = listed(row(server))
    monkeypatch.setattr(Server, "stop", 5000)
    with pytest.raises(FileProblem, match="broke: `restora weights fetch net` goes on where it was"):
        fetch(public)
    assert files() == ["net.safetensors.part"]
    monkeypatch.setattr(Server, "stop", None)
    assert fetch(public).path.read_bytes() == DATA
    assert Server.asked == [None, "bytes=5000-"]
    assert files() == ["net.safetensors"]


def test_a_server_that_cannot_go_on_sends_all_again(server, listed, monkeypatch):
    public = listed(row(server))
    cache_folder().mkdir()
    (cache_folder() / "net.safetensors.part").write_bytes(DATA[:700])
    monkeypatch.setattr(Server, "ranges", False)
    assert fetch(public).path.read_bytes() == DATA


@pytest.mark.parametrize("part", [DATA, DATA + b"more"])
def test_a_part_as_long_as_the_file_comes_anew(server, listed, part):
    public = listed(row(server))
    cache_folder().mkdir()
    (cache_folder() / "net.safetensors.part").write_bytes(part)
    assert fetch(public).path.read_bytes() == DATA


def test_a_wrong_sum_is_refused_and_nothing_is_kept(server, listed, monkeypatch):
    public = listed(row(server))
    monkeypatch.setattr(Server, "data", DATA[:-1] + b"\0")
    with pytest.raises(FileProblem, match=f"not {SUM}: it was not kept"):
        fetch(public)
    assert files() == []


def test_a_file_that_was_changed_in_the_cache_is_told_and_kept(server, listed):
    public = listed(row(server))
    path = fetch(public).path
    path.write_bytes(DATA[:-1])
    with pytest.raises(FileProblem, match="it was changed"):
        fetch(public)
    assert path.exists()


def test_the_sum_of_a_first_fetch_is_recorded_and_holds(server, listed, monkeypatch):
    public = listed(row(server, sha256=""))
    first = fetch(public)
    assert not first.checked
    assert files() == ["net.safetensors", "net.sha256"]
    assert (cache_folder() / "net.sha256").read_text() == f"{SUM}  net.safetensors\n"
    assert expected_sum(first.path) == SUM
    first.path.unlink()
    monkeypatch.setattr(Server, "data", DATA[:-1] + b"\0")
    with pytest.raises(FileProblem, match="it was not kept"):
        fetch(public)


def test_a_page_in_place_of_a_file_is_not_kept(server, listed, monkeypatch):
    public = listed(row(server, sha256=""))
    monkeypatch.setattr(Server, "data", b"<!DOCTYPE html><title>Sign in</title>")
    with pytest.raises(FileProblem, match="is no checkpoint: it was not kept"):
        fetch(public)
    assert files() == []


def test_a_file_that_is_no_longer_there(server, listed):
    public = listed(row(server, file="gone.pth"))
    with pytest.raises(MissingWeights, match=r"404.*look for it at https://github.com/someone/something and put it at"):
        fetch(public)


def test_without_a_network_one_sentence_says_what_to_do(server, listed, monkeypatch):
    public = listed(row("http://no-such-host.invalid/"))

    def offline(*_, **__):
        raise OSError("no network in tests")

    monkeypatch.setattr("socket.getaddrinfo", offline)
    with pytest.raises(
        MissingWeights, match=r"^no-such-host.invalid cannot be reached: fetch net where there is"
    ) as caught:
        fetch(public)
    assert "\n" not in str(caught.value)


def test_a_server_that_falls_silent(server, listed, monkeypatch):
    def silent(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(fetching.urllib.request, "urlopen", silent)
    with pytest.raises(FileProblem, match=r"the connection to 127\.0\.0\.1 broke"):
        fetch(listed(row(server)))


def test_a_cache_that_cannot_be_written(server, listed, monkeypatch, tmp_path):
    (tmp_path / "taken").touch()
    monkeypatch.setenv("RESTORA_CACHE", str(tmp_path / "taken"))
    with pytest.raises(FileProblem, match="cannot be written"):
        fetch(listed(row(server)))


def test_the_table_is_in_order():
    rows = public_weights()
    assert len({one.name for one in rows}) == len(rows)
    assert len({one.name.lower() for one in rows}) == len(rows)  # file systems that know no case
    assert all(one.url.startswith("https://") for one in rows)
    assert all(one.suffix in (".pth", ".mat") for one in rows)
    assert all(not one.sha256 or len(one.sha256) == 64 for one in rows)


def test_sums_of_the_table_are_those_of_the_files(data_dir):
    folders = {"saoyan-dncnn-s-15": "DnCNN-S-15", "saoyan-dncnn-s-25": "DnCNN-S-25"}
    folders |= {"saoyan-dncnn-s-50": "DnCNN-S-50", "saoyan-dncnn-b": "DnCNN-B"}
    known = {one.name: one for one in public_weights() if one.sha256}
    assert set(known) == set(folders)
    for name, folder in folders.items():
        content = (data_dir / "weights/SaoYan-DnCNN-PyTorch" / folder / "net.pth").read_bytes()
        assert (known[name].bytes, known[name].sha256) == (len(content), hashlib.sha256(content).hexdigest())
