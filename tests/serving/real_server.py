"""The binary named by TF_MODEL_SERVER, with the face of the double."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

from dlfa_tf.serving import Client
from dlfa_tf.serving import ServingError

VARIABLE = "TF_MODEL_SERVER"
START_SECONDS = 180


def find_server():
    """Path of the binary; skips the test where there is none."""
    named = os.environ.get(VARIABLE)
    found = named or shutil.which("tensorflow_model_server")
    if not found:
        pytest.skip(
            f"no tensorflow_model_server: set {VARIABLE} to its path, or put "
            "it on PATH"
        )
    return found


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class RealServer:
    """A running tensorflow_model_server; `stop` ends it."""

    kind = "real"

    def __init__(self, config, names, batching=None):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        (self.folder / "model.config").write_text(config)
        ports = free_port(), free_port()
        self.grpc = f"127.0.0.1:{ports[0]}"
        self.rest = f"http://127.0.0.1:{ports[1]}"
        command = [
            find_server(),
            f"--port={ports[0]}",
            f"--rest_api_port={ports[1]}",
            f"--model_config_file={self.folder / 'model.config'}",
            "--file_system_poll_wait_seconds=1",
            "--max_num_load_retries=0",
            "--rest_api_timeout_in_ms=300000",
        ]
        if batching:
            path = self.folder / "batching.config"
            path.write_text(batching)
            command += [
                "--enable_batching",
                f"--batching_parameters_file={path}",
            ]
        self.log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT
        )
        try:
            self._wait(names)
        except BaseException:
            self.stop()
            raise

    def _wait(self, names):
        end = time.monotonic() + START_SECONDS
        for name in names:
            with Client(self.grpc, name, timeout=5) as client:
                while True:
                    log = (self.folder / "log").read_text()[-3000:]
                    assert self.process.poll() is None, log
                    assert time.monotonic() < end, log
                    try:
                        states = client.status().values()
                    except ServingError:
                        states = []
                    if any(state == "AVAILABLE" for state, _ in states):
                        break
                    time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder)
