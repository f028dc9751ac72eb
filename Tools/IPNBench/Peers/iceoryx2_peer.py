"""Publish and subscribe over iceoryx2; who sleeps is woken by an event service of the same name."""

import ctypes
import os

import iceoryx2

MOST_READERS = 20


class End:
    def __init__(self, path, size, readers):
        iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
        self.size = size
        name = path.replace("/", "_")
        self.node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        self.service = (
            self.node.service_builder(iceoryx2.ServiceName.new(name))
            .publish_subscribe(iceoryx2.Slice[ctypes.c_uint8])
            .max_publishers(1)
            .max_subscribers(MOST_READERS)
            .subscriber_max_buffer_size(4 if size >= 4 << 20 else 16)
            .subscriber_max_borrowed_samples(2)
            .enable_safe_overflow(False)
            .open_or_create()
        )
        self.events = (
            self.node.service_builder(iceoryx2.ServiceName.new(name + "_event"))
            .event()
            .max_listeners(MOST_READERS)
            .open_or_create()
        )


class Writer(End):
    def __init__(self, path, size, readers):
        super().__init__(path, size, readers)
        self.publisher = (
            self.service.publisher_builder()
            .initial_max_slice_len(size)
            .max_loaned_samples(2)
            .backpressure_strategy(iceoryx2.BackpressureStrategy.RetryUntilDelivered)
            .create()
        )
        self.notifier = self.events.notifier_builder().create()

    def lend(self):
        self.sample = self.publisher.loan_slice_uninit(self.size)
        return self.sample.payload().as_ptr()

    def send(self):
        self.sample.assume_init().send()
        try:
            self.notifier.notify()
        except Exception:
            pass  # a listener whose queue is full is awake


class Reader(End):
    def __init__(self, path, size, readers, index, spins):
        super().__init__(path, size, readers)
        self.spins = spins
        self.listener = None if spins else self.events.listener_builder().create()
        self.subscriber = self.service.subscriber_builder().create()

    def receive(self, take):
        more = True
        while more:
            sample = self.subscriber.receive()
            if sample is not None:
                more = take(sample.payload().as_ptr())
                sample.delete()
            elif self.spins:
                os.sched_yield()
            else:
                self.listener.timed_wait(iceoryx2.Duration.from_millis(200))

    def close(self):
        self.subscriber.delete()
