"""Publish and subscribe over eCAL's shared memory. Messages come to a callback, in a thread of eCAL's."""

import os
import threading

from ecal import nanobind_core as ecal


def start(path):
    topic = path.replace("/", "_")
    ecal.initialize(f"bench{os.getpid()}")
    return topic


class Writer:
    def __init__(self, path, size, readers):
        topic = start(path)
        configuration = ecal.get_publisher_configuration()
        configuration.layer.udp.enable = False
        configuration.layer.tcp.enable = False
        shm = configuration.layer.shm
        shm.enable = True
        # With more readers it loses messages in that mode, acknowledged or not.
        shm.zero_copy_mode = readers == 1
        shm.memfile_buffer_count = 3
        shm.acknowledge_timeout_ms = 500
        shm.memfile_min_size_bytes = max(4096, size + 4096)
        self.publisher = ecal.Publisher(topic, config=configuration)
        self.payload = bytes(size)

    def lend(self):
        return self.payload

    def send(self):
        self.publisher.send(self.payload)


class Reader:
    def __init__(self, path, size, readers, index, spins):
        self.take = None
        self.ready = threading.Event()
        self.done = threading.Event()
        self.subscriber = ecal.Subscriber(start(path))
        self.subscriber.set_receive_callback(self.on_message)

    def on_message(self, publisher, information, data):
        # Between two calls of receive a message waits here.
        self.ready.wait()
        if not self.take(data.buffer):
            self.ready.clear()
            self.done.set()

    def receive(self, take):
        self.take = take
        self.done.clear()
        self.ready.set()
        self.done.wait()

    def close(self):
        self.ready.set()
        self.take = lambda message: True
        self.subscriber.remove_receive_callback()
