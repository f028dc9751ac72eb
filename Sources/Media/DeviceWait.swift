public import Glibc

/// Waiting for a device, and for nothing but it and a stop: poll(2) over memory that is there before the first wait.
/// RT safe, but for `init`.
public struct DeviceWait: ~Copyable {
    /// Room for the device's descriptors, as it fills it in.
    public let descriptors: UnsafeMutableBufferPointer<pollfd>
    private let all: UnsafeMutableBufferPointer<pollfd>
    private let stop: StopFlag
    /// - Parameters:
    ///   - count: descriptors of the device.
    ///   - stop: what ends every wait.
    ///   - stopDescriptor: readable once `stop` is raised; -1 for none: then a stop is seen within 200 ms.
    public init(count: Int, stop: StopFlag, stopDescriptor: CInt) {
        all = .allocate(capacity: count + 2)
        all.initialize(repeating: pollfd(fd: -1, events: Int16(POLLIN), revents: 0))
        // In this order: where the device is not waited for, the last two are.
        all[count].fd = stopDescriptor
        descriptors = UnsafeMutableBufferPointer(rebasing: all[..<count])
        self.stop = stop
    }

    deinit { all.deallocate() }

    /// From now on a wait ends with `.interrupted` once there is something on `descriptor`.
    public func listen(to descriptor: CInt) { all[all.count - 1].fd = descriptor }

    /// Waits until the device has something to say, which is in `descriptors` then.
    /// - Parameter due: nanoseconds on CLOCK_MONOTONIC.
    /// - Returns: false if it had nothing to say until then.
    /// - Throws: `.cancelled` after a stop, `.interrupted` for whoever else wants the thread.
    public func wait(until due: Int64) throws(MediaError) -> Bool {
        while true {
            if stop.isRaised { throw MediaError(.cancelled, what: "stopped") }
            let left = due - monotonicNanoseconds()
            // Rounded up, so that what is left of a millisecond is not spent spinning.
            let milliseconds = left <= 0 ? 0 : CInt(clamping: (left + 999_999) / 1_000_000)
            let isDeaf = all[descriptors.count].fd < 0
            let count = poll(all.baseAddress, nfds_t(all.count), isDeaf ? min(milliseconds, 200) : milliseconds)
            if count > 0 {
                for index in descriptors.indices where descriptors[index].revents != 0 { return true }
                try answerVisitors()
            }
            if left <= 0 { return false }
        }
    }

    /// Waits for time to pass, whatever the device says.
    /// - Throws: as `wait`.
    public func pause(milliseconds: CInt) throws(MediaError) {
        let count = poll(all.baseAddress! + descriptors.count, 2, milliseconds)
        if stop.isRaised { throw MediaError(.cancelled, what: "stopped") }
        if count > 0 { try answerVisitors() }
    }

    private func answerVisitors() throws(MediaError) {
        if all[all.count - 1].revents != 0 { throw MediaError(.interrupted, what: "somebody else wants the thread") }
    }
}
